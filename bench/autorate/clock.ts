/** One clock for all threads and processes. */
import { setTimeout } from "node:timers/promises";

/** CLOCK_MONOTONIC, s. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e9;

/** Waits until the clock shows this, s. */
export async function until(time: number): Promise<void> {
  for (let left = time - monotonic(); left > 0; left = time - monotonic()) await setTimeout(Math.ceil(left * 1000));
}
