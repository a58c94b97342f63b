/**
 * Rounding as Python does it: the number as it really is in binary, and ties to even. JavaScript's `toFixed` and
 * `Math.round` are exact as well, but send ties up.
 */

/**
 * Whether `value` lies exactly between two neighbours with so many decimals: a tie has to be an odd multiple of
 * 1 / 2^(decimals + 1), because a binary fraction holds no factor five.
 */
const isTie = (value: number, decimals: number): boolean => Math.abs((value * 2 ** (decimals + 1)) % 2) === 1;

/** `round(value)`: to the nearest whole number, ties to even. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (!isTie(value, 0)) return Math.round(value) + 0;
  return below % 2 === 0 ? below : below + 1;
}

/** `f"{value:.Nf}"`: so many decimals, ties to even. */
export function formatFixed(value: number, decimals: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (!isTie(value, decimals)) return value.toFixed(decimals);
  if (decimals === 0) return roundHalfEven(value).toFixed(0);
  // Whole part and fraction by themselves, because large numbers times ten are no longer exact; ties never carry over.
  const whole = Math.trunc(Math.abs(value));
  const digits = roundHalfEven((Math.abs(value) - whole) * 10 ** decimals);
  return `${value < 0 ? "-" : ""}${whole}.${String(digits).padStart(decimals, "0")}`;
}
