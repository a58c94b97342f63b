/** What came of one stream: how many, how often, in which order. Pure. */
import { Delays, type DelayFigures } from "./delays.ts";
import type { Stamp } from "./stamp.ts";

/** Packets that are remembered one by one: who comes later than so many others is told from a duplicate no more. */
const WINDOW = 2 ** 16;

/** What came of a stream so far. */
export interface ArrivalFigures {
  /** Different ones. */
  readonly packets: number;
  /** Bytes of payload of those. */
  readonly bytes: number;
  /** Of those that were sent, for all one can tell: up to the total where the sender knew it, else to the highest that came. */
  readonly lost: number;
  readonly duplicates: number;
  /** Came after one that was sent later. */
  readonly reordered: number;
  /** So late that nobody can tell whether they came before; not among packets. */
  readonly stale: number;
  /** Between the first and the last, seconds. */
  readonly seconds: number;
  readonly delay?: DelayFigures;
}

/** The arrivals of one stream. */
export class Arrivals {
  /** By sequence number modulo the window: the number that was seen there, plus one. */
  readonly #seen = new Float64Array(WINDOW);
  readonly #delays = new Delays();
  #next = 0;
  #total = 0;
  #packets = 0;
  #bytes = 0;
  #duplicates = 0;
  #reordered = 0;
  #stale = 0;
  #first = 0;
  #last = 0;

  /** Whether all came that were to come; false as well when nobody knows how many those are. */
  get isComplete(): boolean {
    return this.#total > 0 && this.#packets >= this.#total;
  }

  /** @param at seconds and nanoseconds when it arrived, by the same clock as the sender's */
  add({ sequence, total, ...sent }: Stamp, bytes: number, at: Pick<Stamp, "seconds" | "nanoseconds">): void {
    this.#total = total;
    this.#last = at.seconds + at.nanoseconds / 1e9;
    if (this.#first === 0) this.#first = this.#last;
    if (sequence + WINDOW < this.#next) {
      this.#stale += 1;
      return;
    }
    if (this.#seen[sequence % WINDOW] === sequence + 1) {
      this.#duplicates += 1;
      return;
    }
    this.#seen[sequence % WINDOW] = sequence + 1;
    this.#packets += 1;
    this.#bytes += bytes;
    if (sequence < this.#next) this.#reordered += 1;
    else this.#next = sequence + 1;
    this.#delays.add((at.seconds - sent.seconds) * 1e9 + at.nanoseconds - sent.nanoseconds);
  }

  /** All of it. */
  figures(): ArrivalFigures {
    const delay = this.#delays.figures();
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      lost: Math.max(this.#total, this.#next) - this.#packets,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      stale: this.#stale,
      seconds: this.#last - this.#first,
      ...(delay && { delay }),
    };
  }
}
