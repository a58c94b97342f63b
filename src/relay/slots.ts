/** Numbers of counters: one for each rule and each output, kept for as long as the rule is there. */

/** Hands out slots. A number that was given back is the next to be handed out, by whoever has cleared its counters. */
export class Slots {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #most: number;
  #next = 0;

  /** @param most how many there are */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many are in use. */
  get size(): number {
    return this.#slots.size;
  }

  /** The slot of something by its key, the same each time; undefined when all are taken. */
  of(key: string): number | undefined {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? (this.#next < this.#most ? this.#next++ : undefined);
    if (slot !== undefined) this.#slots.set(key, slot);
    return slot;
  }

  /** Gives back all but those that are still wanted. @returns the slots that are free from now on */
  keep(wanted: ReadonlySet<string>): number[] {
    const gone = [...this.#slots].filter(([key]) => !wanted.has(key));
    for (const [key, slot] of gone) {
      this.#slots.delete(key);
      this.#free.push(slot);
    }
    return gone.map(([, slot]) => slot);
  }
}
