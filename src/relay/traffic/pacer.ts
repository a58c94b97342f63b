/** How many packets are due by when, for a rate that is kept over time: who is late catches up. Pure. */

/** The pace of one stream. Times are seconds since its start. */
export class Pacer {
  readonly #rate: number;
  #sent = 0;

  /** @param rate packets a second; Infinity: as fast as they go */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Packets that went. */
  get sent(): number {
    return this.#sent;
  }

  /** How many may go now, of at most so many. The first is due at once. */
  due(seconds: number, most: number): number {
    if (this.#rate === Infinity) return most;
    return Math.min(most, Math.max(0, Math.floor(seconds * this.#rate + 1e-9) + 1 - this.#sent));
  }

  /** Counts what went. */
  went(packets: number): void {
    this.#sent += packets;
  }

  /** Seconds until the next is due; 0 when one is. */
  wait(seconds: number): number {
    return Math.max(0, this.#sent / this.#rate - seconds);
  }
}
