/** Rust's `str::parse::<f32>()`. */

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WORD = /^([+-]?)(?:(inf|infinity)|nan)$/i;

/** The number as 32 bits hold it: no blanks, no underscores. Undefined when the text is none. */
export function parseF32(text: string): number | undefined {
  if (NUMBER.test(text)) return Math.fround(Number(text));
  const word = WORD.exec(text);
  if (!word) return undefined;
  if (word[2] === undefined) return Number.NaN;
  return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
