/** Random numbers of a script: a sequence that its seed determines, after those it is given. */

/** xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it): 32 random bits per number. */
export class ScriptRandom {
  readonly #state: Uint32Array<ArrayBuffer>;
  #given: number[] = [];

  /** @param seed four numbers in [0, 1) */
  constructor(seed: readonly number[]) {
    this.#state = Uint32Array.from({ length: 4 }, (_, i) => Math.floor((seed[i] ?? 0) * 2 ** 32));
    // The one state that it never leaves.
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** Numbers in [0, 1) to be drawn first, in place of those that are left of the last ones. */
  give(draws: readonly number[]): void {
    this.#given = draws.toReversed();
  }

  /** The next number in [0, 1). */
  draw(): number {
    return this.#given.pop() ?? this.#step() / 2 ** 32;
  }

  #step(): number {
    const s = this.#state;
    const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11);
    return result;
  }
}
