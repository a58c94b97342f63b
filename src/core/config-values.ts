/** Single values of `sluice.toml`: how each is read, and what is said when it cannot be. */

/** Why a value was refused: the second half of "Cannot use shaper.x: ...". */
export class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Reads one value as TOML gives it. */
export type ReadValue<T> = (value: unknown) => T | Refusal;

/** A value as the file shows it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "a table" : JSON.stringify(value);
}

/** The path of a file, as it stands. */
export const filePath: ReadValue<string> = (value) =>
  typeof value === "string" && value.trim() !== "" && !value.includes("\0")
    ? value
    : new Refusal(`it is ${shown(value)}, wanted the path of a file`);

const LONGEST_NAME_BYTES = 15;

/** The name of a network interface, as Linux allows them: it counts bytes, and takes more than letters and digits. */
export const interfaceName: ReadValue<string> = (value) =>
  typeof value === "string" && /^(?!\.{1,2}$)[^\s/:\0]+$/.test(value) && Buffer.byteLength(value) <= LONGEST_NAME_BYTES
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

/** A text that a pattern fits. */
export const textLike =
  (pattern: RegExp, wanted: string): ReadValue<string> =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? value : new Refusal(`it is ${shown(value)}, wanted ${wanted}`);
