/** Numbers as Lua 5.1 reads and bounds them: by C's strtod, and by comparing in a fixed order. */

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]+)$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** `tonumber(text)`; undefined stands for nil. */
export function luaNumber(text: string): number | undefined {
  const word = text.trim();
  if (DECIMAL.test(word)) return Number(word);
  const [, sign, digits] = HEXADECIMAL.exec(word) ?? [];
  if (digits !== undefined) return Number.parseInt(digits, 16) * (sign === "-" ? -1 : 1);
  const infinite = INFINITE.exec(word);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(word) ? Number.NaN : undefined;
}

/** `math.floor`. */
export const luaFloor = (value: number): number => Math.floor(value);

/** `math.min(math.max(value, lowest), highest)`: what is no number stays so. */
export function luaLimit(value: number, lowest: number, highest: number): number {
  const raised = lowest > value ? lowest : value;
  return highest < raised ? highest : raised;
}
