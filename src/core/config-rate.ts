/** Rates of `sluice.toml`: a text in tc's words, or a plain number of the table's unit. */
import { type ReadValue, Refusal, shown } from "./config-values.ts";
import { type BitsPerSecond, bitsPerSecond, humanRate, parseRate } from "./units.ts";

/** What a plain number counts. */
const UNITS = {
  kbit: { bits: 1e3, name: "kbit/s", example: '"20mbit" or "300kbit"' },
  mbit: { bits: 1e6, name: "Mbit/s", example: '"500mbit" or "1gbit"' },
} as const;

/**
 * A rate between two bounds in bit/s. Bare numbers in quotes (bit/s for tc) and `mbps` (bytes for tc) are refused: whoever
 * writes them means something else.
 *
 * @param unit what a number without quotes counts
 */
export function rateIn(unit: keyof typeof UNITS, from: number, to: number): ReadValue<BitsPerSecond> {
  const { bits, name, example } = UNITS[unit];
  const wanted = `wanted a rate such as ${example}, or a number of ${name}`;
  const fromText = (value: string): BitsPerSecond | Refusal => {
    const bare = /^\s*([\d.]+)\s*$/.exec(value)?.[1];
    if (bare !== undefined) {
      return new Refusal(`it is ${shown(value)}, a text without unit; write "${bare}${unit}" or the number ${bare}`);
    }
    const bytes = /^\s*([\d.]+)\s*([kmgt])bps\s*$/i.exec(value);
    if (bytes) {
      const [, number, prefix] = bytes;
      return new Refusal(
        `it is ${shown(value)}, which tc reads as bytes per second; write "${number}${prefix!.toLowerCase()}bit" for bits`,
      );
    }
    return parseRate(value) ?? new Refusal(`it is ${shown(value)}, ${wanted}`);
  };
  return (value) => {
    const parsed = typeof value === "number" ? value * bits : typeof value === "string" ? fromText(value) : undefined;
    if (parsed instanceof Refusal) return parsed;
    if (parsed === undefined || Number.isNaN(parsed)) return new Refusal(`it is ${shown(value)}, ${wanted}`);
    const rounded = Math.round(parsed);
    if (rounded >= from && rounded <= to) return bitsPerSecond(rounded);
    const range = `${humanRate(from)} to ${humanRate(to)}`;
    const counts = typeof value === "number" ? ` (a number counts ${name})` : "";
    return new Refusal(`it is ${shown(value)}, wanted a rate from ${range}${counts}`);
  };
}
