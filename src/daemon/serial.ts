/** One thing after the other. */

/** Runs what it is given in the order in which it came, one at a time. A failure is its own caller's and nobody else's. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();
  readonly #ended: () => void;

  /** @param ended called after each */
  constructor(ended: () => void = () => undefined) {
    this.#ended = ended;
  }

  /** Runs a function when all before it have ended. */
  run<T>(body: () => Promise<T>): Promise<T> {
    const done = this.brief(body);
    this.#last = this.#last.then(this.#ended);
    return done;
  }

  /** The same for what is done many times a second: nothing is called after it. */
  brief<T>(body: () => Promise<T>): Promise<T> {
    const done = this.#last.then(body);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when all that was given so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
