/** A queue with a rate, as a fluid: bytes flow in, wait, and leave in order. */

/** One queue. Mutable: a simulation steps through millions of moments. */
export class Pipe {
  /** Emptied at this rate, bytes/s. */
  rate: number;
  /** What may wait, bytes; more is dropped. */
  limit: number;
  /** Waiting, bytes. */
  queue = 0;
  /** Left since the beginning, bytes: whoever stood at {@link tail} is out when this is reached. */
  drained = 0;
  /** Share of what came that was dropped in the last step. */
  dropShare = 0;
  /** Dropped in the last step, bytes. */
  dropped = 0;

  constructor(rate: number, limit: number) {
    this.rate = rate;
    this.limit = limit;
  }

  /** The place behind everything that waits. */
  get tail(): number {
    return this.drained + this.queue;
  }

  /** Lets bytes in for so many seconds. @returns what left, bytes */
  step(arriving: number, seconds: number): number {
    const held = this.queue + arriving;
    const left = Math.min(held, this.rate * seconds);
    const rest = held - left;
    this.dropped = Math.max(0, Math.min(arriving, rest - this.limit));
    this.dropShare = arriving > 0 ? this.dropped / arriving : 0;
    this.queue = rest - this.dropped;
    this.drained += left;
    return left;
  }

  /** How long ago a place was left, s; negative when it has not been. */
  since(place: number): number {
    if (place > this.drained) return -1;
    return this.rate > 0 ? (this.drained - place) / this.rate : 0;
  }
}
