/** The time of day to a fraction of a millisecond, from a clock that counts whole ones. */
import type { Clock } from "../../core/clock.ts";

/** One moment by both clocks, ms. */
export interface Moment {
  /** Of the clock that never steps. */
  readonly monotonic: number;
  /** Since the Unix epoch. */
  readonly wall: number;
}

/**
 * Reads both clocks of a {@link Clock}. Its wall clock gives whole milliseconds, so the offset between the two is known to
 * one millisecond at each reading; what holds at all of them is known far better. A wall clock that is set is followed at
 * the next reading.
 */
export class Wall {
  readonly #clock: Clock;
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic() + 0.5;
  }

  /** Now. */
  read(): Moment {
    const monotonic = this.#clock.monotonic();
    const least = this.#clock.now() - monotonic;
    this.#offset = Math.min(Math.max(this.#offset, least), least + 1);
    return { monotonic, wall: monotonic + this.#offset };
  }
}

/** Some milliseconds earlier. */
export const before = ({ monotonic, wall }: Moment, age: number): Moment => ({
  monotonic: monotonic - age,
  wall: wall - age,
});
