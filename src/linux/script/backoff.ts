/** How long to wait before something that ended is started again. All times in milliseconds. */

/** The steps of the wait. */
export interface BackoffSteps {
  /** The second wait in a row; the first is none. */
  readonly first: number;
  /** No wait is longer. */
  readonly most: number;
  /** What ran for so long was well: the next wait is none again. */
  readonly healthy: number;
}

/** No wait at first, then one that doubles from end to end. */
export class Backoff {
  readonly #steps: BackoffSteps;
  #row = 0;

  constructor(steps: BackoffSteps) {
    this.#steps = steps;
  }

  /** The wait after something ended that had run for `uptime`. */
  next(uptime: number): number {
    const { first, most, healthy } = this.#steps;
    if (uptime >= healthy) this.#row = 0;
    this.#row += 1;
    return this.#row === 1 ? 0 : Math.min(most, first * 2 ** (this.#row - 2));
  }
}
