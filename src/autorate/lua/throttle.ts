/** Keeps what is said again and again from filling the log. */

/** Seconds between two of the same. */
const SPAN = 60;

/** Lets one of a kind through, and counts those that follow it too soon. */
export class Throttle {
  readonly #seen = new Map<string, { readonly at: number; held: number }>();

  /**
   * Whether to say it: how many of its kind were held back since the last one, or undefined to hold this one back, too.
   *
   * @param now s, of any clock that does not step
   */
  admit(kind: string, now: number): number | undefined {
    const seen = this.#seen.get(kind);
    if (seen && now - seen.at < SPAN) {
      seen.held += 1;
      return undefined;
    }
    this.#seen.set(kind, { at: now, held: 0 });
    return seen?.held ?? 0;
  }
}
