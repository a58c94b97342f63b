/** Messages to many listeners, numbered, the last of them kept so that a listener can go on where it stopped. */

/** A message with its number. */
export interface Numbered<T> {
  readonly id: number;
  readonly message: T;
}

/** A topic. */
export class Topic<T> {
  readonly #listeners = new Set<(numbered: Numbered<T>) => void>();
  readonly #kept: Numbered<T>[] = [];
  readonly #bound: number;
  #last: number;

  /**
   * @param bound messages that are kept
   * @param last the number before the first: the time in milliseconds, so that numbers of a daemon started later are greater
   */
  constructor(bound: number, last = Date.now()) {
    this.#bound = bound;
    this.#last = last;
  }

  /** Sends to all that listen. */
  publish(message: T, id = this.#last + 1): void {
    this.#last = id;
    const numbered = { id, message };
    this.#kept.push(numbered);
    if (this.#kept.length > this.#bound) this.#kept.shift();
    for (const listener of this.#listeners) listener(numbered);
  }

  /** Gives what was sent after a number and is still kept, and then everything that comes. */
  subscribe(listener: (numbered: Numbered<T>) => void, after?: number): Disposable {
    if (after !== undefined) for (const numbered of this.#kept) if (numbered.id > after) listener(numbered);
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
