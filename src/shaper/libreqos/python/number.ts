/**
 * Numbers as Python keeps them: whole ones and floats apart, because what it writes tells them apart (`1000` and
 * `155.0` in queuingStructure.json), and `min` and `max` hand on whichever argument they chose.
 */
import { type Explanation, PythonError } from "./error.ts";
import { reprText } from "./repr.ts";

/** An `int` or a `float`. */
export interface PyNumber {
  readonly kind: "int" | "float";
  readonly value: number;
  /** The digits of an int beyond 2^53, which a JavaScript number cannot hold. */
  readonly digits?: string;
}

/** An `int`. */
export const int = (value: number): PyNumber => ({ kind: "int", value });
/** A `float`. */
export const float = (value: number): PyNumber => ({ kind: "float", value });

/** `min(a, b)`: the first on ties, and whenever one is no number. */
export const min = (a: PyNumber, b: PyNumber): PyNumber => (b.value < a.value ? b : a);
/** `max(a, b)`: the first on ties, and whenever one is no number. */
export const max = (a: PyNumber, b: PyNumber): PyNumber => (b.value > a.value ? b : a);
/** `a + b`. */
export const add = (a: PyNumber, b: PyNumber): PyNumber =>
  a.kind === "int" && b.kind === "int" ? int(a.value + b.value) : float(a.value + b.value);

/** `int(number)`: cut towards zero. @throws PythonError for infinity and nan */
export function truncate({ kind, value }: PyNumber, explain: () => Explanation): number {
  if (kind === "int") return value;
  if (Number.isNaN(value)) throw new PythonError("ValueError", "cannot convert float NaN to integer", explain());
  if (!Number.isFinite(value)) {
    throw new PythonError("OverflowError", "cannot convert float infinity to integer", explain());
  }
  return Math.trunc(value) + 0;
}

/** What Python strips from both ends of a text before it reads a number. JavaScript's `trim` takes U+FEFF too. */
const BLANK = "[\\t-\\r\\u001C-\\u0020\\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]+";
const BLANKS = new RegExp(`^${BLANK}|${BLANK}$`, "g");
const strip = (text: string): string => text.replace(BLANKS, "");

const FLOAT = /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;
const ENDLESS = /^([+-]?)(?:inf|infinity)$/i;
const INT = /^[+-]?\d+(?:_\d+)*$/;

/** `float(text)`: blanks around it, underscores between digits, `inf` and `nan` are fine. Undefined when it raises. */
export function parseFloatText(text: string): number | undefined {
  const stripped = strip(text);
  if (FLOAT.test(stripped)) return Number(stripped.replaceAll("_", ""));
  if (/^[+-]?nan$/i.test(stripped)) return Number.NaN;
  const endless = ENDLESS.exec(stripped);
  if (!endless) return undefined;
  return endless[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `int(text)`. @throws PythonError for anything but a whole number, `2.5` among it */
export function parseIntText(text: string, explain: () => Explanation): number {
  const stripped = strip(text);
  if (INT.test(stripped)) return Number(stripped.replaceAll("_", ""));
  throw new PythonError("ValueError", `invalid literal for int() with base 10: ${reprText(text)}`, explain());
}
