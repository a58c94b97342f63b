/** From what a controller would have to what is written. Pure. */
import type { Bounds } from "../model.ts";

/** A rate in whole kbit/s within the bounds; what is no number is the least. */
export function settle(rate: number, { min, max }: Bounds): number {
  if (Number.isNaN(rate)) return Math.ceil(min);
  return Math.floor(Math.min(Math.max(min, rate), max));
}
