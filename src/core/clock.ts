/** Time as an input: everything that needs "now" takes a Clock, so that tests decide what time it is. */
import { type Milliseconds, milliseconds } from "./units.ts";

/** A source of time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): Milliseconds;
  /** Milliseconds of a clock that never steps, for measuring spans. */
  monotonic(): Milliseconds;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => milliseconds(Date.now()),
  monotonic: () => milliseconds(performance.now()),
};
