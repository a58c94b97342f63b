/** Rates as `network.json` and `ShapedDevices.csv` write them: decimal numbers of Mbit/s. */
import { type BitsPerSecond, bitsPerSecond } from "../../core/units.ts";

/** The capacity of a node or the plan of a circuit, or what one of them is guaranteed. */
export type RateKind = "maximum" | "minimum";

const SLOWEST = 10_000;
const FASTEST = 1e12;

/** What {@link parseMbps} accepts, for messages. */
export const WANTED_MBPS: Readonly<Record<RateKind, string>> = {
  maximum: "Mbit/s from 0.01 to 1000000",
  minimum: "Mbit/s from 0.01 to 1000000, or 0 for no guarantee",
};

/**
 * Parses a decimal number of Mbit/s (`25`, `2.5`, `1e3`) to whole bit/s. Under 10 kbit/s a full-size packet takes more than a
 * second, so that is taken for a mistake, and so is more than 1 Tbit/s. No signs, no `nan`, no `1_000`.
 *
 * @returns undefined when the text is no such number or out of range
 */
export function parseMbps(text: string, kind: RateKind): BitsPerSecond | undefined {
  if (!/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  // Rounding also removes what binary fractions leave: 1.1 * 1e6 is 1100000.0000000002.
  const rate = Math.round(Number(text) * 1e6);
  if (rate === 0 && kind === "minimum" && Number(text) === 0) return bitsPerSecond(0);
  return rate >= SLOWEST && rate <= FASTEST ? bitsPerSecond(rate) : undefined;
}

/** The rate as these files write it: `2.5`. */
export const formatMbps = (rate: BitsPerSecond): string => String(rate / 1e6);
