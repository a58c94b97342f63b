/** Numbers of counters: one for each rule and each output, kept for as long as the rule is there. */

/** Counters that there are: of a rule and each of its outputs one. */
export const SLOTS = 32_768;

/** Hands out slots. One that was given back is handed out again after the next {@link Slots.keep}, or when there is no other. */
export class Slots {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  /** Given back, and perhaps still counted in for a moment: free from the next time on. */
  #cooling: number[] = [];
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

  /** The highest number that was ever given; -1 before. */
  get highest(): number {
    return this.#next - 1;
  }

  /** Whether something has a slot. */
  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** The slot of something by its key, the same each time; undefined when all are taken. */
  of(key: string): number | undefined {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? (this.#next < this.#most ? this.#next++ : this.#cooling.pop());
    if (slot !== undefined) this.#slots.set(key, slot);
    return slot;
  }

  /** Gives back all but those that are still wanted. */
  keep(wanted: ReadonlySet<string>): void {
    this.#free.push(...this.#cooling);
    const gone = [...this.#slots].filter(([key]) => !wanted.has(key));
    for (const [key] of gone) this.#slots.delete(key);
    this.#cooling = gone.map(([, slot]) => slot);
  }
}
