/** A clock that goes when it is told to, with what happens at some time on it. */
import type { Timers } from "../../src/relay/workers/timers.ts";

interface Entry {
  readonly at: number;
  readonly body: () => void;
}

/** The clock, at 0 first. */
export class ManualTimers implements Timers {
  readonly #entries = new Set<Entry>();
  #now = 0;

  /** How much is still to happen. */
  get pending(): number {
    return this.#entries.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, body: () => void): Disposable {
    const entry: Entry = { at: this.#now + ms, body };
    this.#entries.add(entry);
    return { [Symbol.dispose]: () => void this.#entries.delete(entry) };
  }

  /** Lets so many ms pass: everything that is due happens in its order, each at its time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#entries].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#entries.delete(next);
      this.#now = next.at;
      next.body();
    }
    this.#now = until;
  }
}
