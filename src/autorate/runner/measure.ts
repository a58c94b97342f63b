/** From byte counters to rates and loads. Pure. */
import { both, type Both } from "../../core/both.ts";

const BYTES_TO_KBIT = 8 / 1000;

/** What was sent between two looks at a counter, kbit/s. */
export const throughput = (bytes: number, before: number, seconds: number): number =>
  (BYTES_TO_KBIT * (bytes - before)) / seconds;

/** A look at the byte counters of both directions. */
export interface Counted {
  /** s */
  readonly at: number;
  readonly bytes: Both<number>;
}

/** What was sent since, and the share of the rates that it is. */
export interface Loads {
  /** s */
  readonly elapsed: number;
  /** kbit/s */
  readonly achieved: Both<number>;
  readonly load: Both<number>;
}

/** Compares two looks, at rates in kbit/s that held in between. */
export function loads(before: Counted, now: Counted, rates: Both<number>): Loads {
  const elapsed = now.at - before.at;
  const achieved = both((d) => throughput(now.bytes[d], before.bytes[d], elapsed));
  return { elapsed, achieved, load: both((d) => achieved[d] / rates[d]) };
}
