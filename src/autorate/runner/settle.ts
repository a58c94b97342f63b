/** From what a controller would have to what is written. Pure. */
import type { Bounds } from "../model.ts";

/** A rate in whole kbit/s within the bounds; what is no number, or has no end, is the least. */
export function settle(rate: number, { min, max }: Bounds): number {
  const whole = Math.floor(Math.min(Math.max(min, rate), max));
  return Number.isFinite(whole) && whole >= min ? whole : Math.ceil(min);
}
