/** Single values of `sluice.toml`: how each is read, and what is said when it cannot be. */
import type { FqCodel, Cake, Qdisc } from "../../core/tc/qdisc.ts";
import { parseQdisc } from "../../core/tc/parse.ts";
import { type BitsPerSecond, bitsPerSecond, humanRate, megabits, parseRate } from "../../core/units.ts";
import type { LeafChoice } from "../model.ts";

/** Why a value was refused: the second half of "Cannot use shaper.x: ...". */
export class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Reads one value as TOML gives it. */
export type ReadValue<T> = (value: unknown) => T | Refusal;

const SLOWEST = 10_000;
const FASTEST = 1e12;
const RATE_EXAMPLE = 'wanted a rate such as "500mbit" or "1gbit", or a number of Mbit/s';

/** A value as the file shows it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  return typeof value === "object" ? "a table" : JSON.stringify(value);
}

/** The path of a file, as it stands. */
export const filePath: ReadValue<string> = (value) =>
  typeof value === "string" && value.trim() !== "" && !value.includes("\0")
    ? value
    : new Refusal(`it is ${shown(value)}, wanted the path of a file`);

/** The name of a network interface, as Linux allows them. */
export const interfaceName: ReadValue<string> = (value) =>
  typeof value === "string" && /^[^\s/:]{1,15}$/.test(value) && value !== "." && value !== ".."
    ? value
    : new Refusal(`it is ${shown(value)}, wanted the name of an interface (1 to 15 characters)`);

/** A whole number within bounds. */
export const integer =
  (from: number, to: number): ReadValue<number> =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= from && value <= to
      ? value
      : new Refusal(`it is ${shown(value)}, wanted a whole number from ${from} to ${to}`);

/** One of some words. */
export const oneOf =
  <T extends string>(...words: readonly T[]): ReadValue<T> =>
  (value) =>
    words.find((word) => word === value) ??
    new Refusal(`it is ${shown(value)}, wanted ${words.map((word) => `"${word}"`).join(" or ")}`);

function rateText(value: string): BitsPerSecond | Refusal {
  const bare = /^\s*([\d.]+)\s*$/.exec(value)?.[1];
  if (bare !== undefined) {
    return new Refusal(`it is ${shown(value)}, a text without unit; write "${bare}mbit" or the number ${bare}`);
  }
  const bytes = /^\s*([\d.]+)\s*([kmgt])bps\s*$/i.exec(value);
  if (bytes) {
    const [, number, prefix] = bytes;
    return new Refusal(
      `it is ${shown(value)}, which tc reads as bytes per second; write "${number}${prefix!.toLowerCase()}bit" for bits`,
    );
  }
  return parseRate(value) ?? new Refusal(`it is ${shown(value)}, ${RATE_EXAMPLE}`);
}

/**
 * A rate in tc's words, or a number of Mbit/s. Bare numbers in quotes (bit/s for tc) and `mbps` (bytes for tc) are
 * refused: whoever writes them means something else.
 */
export const rate: ReadValue<BitsPerSecond> = (value) => {
  const parsed = typeof value === "number" ? megabits(value) : typeof value === "string" ? rateText(value) : undefined;
  if (parsed instanceof Refusal) return parsed;
  if (parsed === undefined || Number.isNaN(parsed)) return new Refusal(`it is ${shown(value)}, ${RATE_EXAMPLE}`);
  const rounded = Math.round(parsed);
  if (rounded >= SLOWEST && rounded <= FASTEST) return bitsPerSecond(rounded);
  const range = `${humanRate(SLOWEST)} to ${humanRate(FASTEST)}`;
  return new Refusal(
    `it is ${shown(value)}, wanted a rate from ${range}${typeof value === "number" ? " (a number counts Mbit/s)" : ""}`,
  );
};

/** A rate, or `"off"` for 0. */
export const rateOrOff: ReadValue<BitsPerSecond> = (value) => {
  if (value === "off") return bitsPerSecond(0);
  const parsed = rate(value);
  return parsed instanceof Refusal ? new Refusal(`${parsed.reason}; or "off"`) : parsed;
};

const isLeaf = (qdisc: Qdisc): qdisc is Cake | FqCodel => qdisc.kind === "cake" || qdisc.kind === "fq_codel";

/** `auto`, `none`, `fifo`, or cake or fq_codel with options as tc takes them. */
export const leaf: ReadValue<LeafChoice> = (value) => {
  const wanted = 'wanted "auto", "none", "fifo", or cake or fq_codel with tc\'s options, such as "cake diffserv4 nat"';
  if (typeof value !== "string") return new Refusal(`it is ${shown(value)}, ${wanted}`);
  const word = value.trim();
  if (word === "auto" || word === "none" || word === "fifo") return { kind: word };
  if (!/^(?:cake|fq_codel)\b/.test(word)) return new Refusal(`it is ${shown(value)}, ${wanted}`);
  const qdisc = parseQdisc(word);
  if ("problem" in qdisc) return new Refusal(`it is ${shown(value)}, ${qdisc.problem}`);
  if (!isLeaf(qdisc)) return new Refusal(`it is ${shown(value)}, ${wanted}`);
  // HTB does the shaping; a cake that shapes too would hold every circuit to one rate whatever its plan.
  if (qdisc.kind === "cake" && qdisc.bandwidth) {
    return new Refusal(`it is ${shown(value)}, whose bandwidth would hold every circuit to one rate; leave it out`);
  }
  return qdisc;
};
