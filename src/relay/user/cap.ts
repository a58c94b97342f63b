/** Holds a rule to its rate: buckets that fill with time. */
import type { RateCap } from "../model.ts";

/** What a bucket holds, as time of its rate, s: a burst of this length passes whole. */
const DEPTH = 0.1;
/** A bucket holds at least this, so that a low rate lets packets through at all. */
const LEAST_BITS = 8 * 65_536;
const LEAST_PACKETS = 1;

/**
 * Two buckets, bits and packets. A packet passes while there is something in both, and may leave a debt: over time exactly
 * the rate passes, however long the packets are.
 */
export class Cap {
  readonly #bits: number;
  readonly #packets: number;
  readonly #mostBits: number;
  readonly #mostPackets: number;
  #bitsLeft: number;
  #packetsLeft: number;
  #at: number;

  /** @param now ms */
  constructor({ bitsPerSecond = Infinity, packetsPerSecond = Infinity }: RateCap, now: number) {
    this.#bits = bitsPerSecond / 1000;
    this.#packets = packetsPerSecond / 1000;
    this.#mostBits = Math.max(bitsPerSecond * DEPTH, LEAST_BITS);
    this.#mostPackets = Math.max(packetsPerSecond * DEPTH, LEAST_PACKETS);
    this.#bitsLeft = this.#mostBits;
    this.#packetsLeft = this.#mostPackets;
    this.#at = now;
  }

  /** Whether packets pass now. @param now ms. @param bytes of payload */
  passes(now: number, packets: number, bytes: number): boolean {
    const elapsed = now - this.#at;
    if (elapsed > 0) {
      this.#at = now;
      this.#bitsLeft = Math.min(this.#mostBits, this.#bitsLeft + elapsed * this.#bits);
      this.#packetsLeft = Math.min(this.#mostPackets, this.#packetsLeft + elapsed * this.#packets);
    }
    if (this.#bitsLeft <= 0 || this.#packetsLeft <= 0) return false;
    this.#bitsLeft -= 8 * bytes;
    this.#packetsLeft -= packets;
    return true;
  }
}
