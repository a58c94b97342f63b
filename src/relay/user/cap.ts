/** Holds a rule to its rate: buckets that fill with time. */
import { bitsDepth, packetsDepth } from "../bucket.ts";
import type { RateCap } from "../model.ts";

/**
 * Two buckets, bits and packets. A packet passes while there is something in both, and may leave a debt: over time exactly
 * the rate passes, however long the packets are.
 */
export class Cap {
  readonly #bits: number;
  readonly #packets: number;
  readonly #mostBits: number;
  readonly #mostPackets: number;
  /** What is in the buckets, bits and packets, and since when, ms: numbers of an object would be allocated anew each time. */
  readonly #left: Float64Array;

  /** @param now ms */
  constructor({ bitsPerSecond = Infinity, packetsPerSecond = Infinity }: RateCap, now: number) {
    this.#bits = bitsPerSecond / 1000;
    this.#packets = packetsPerSecond / 1000;
    this.#mostBits = bitsPerSecond * bitsDepth(bitsPerSecond);
    this.#mostPackets = packetsPerSecond * packetsDepth(packetsPerSecond);
    this.#left = Float64Array.of(this.#mostBits, this.#mostPackets, now);
  }

  /** Whether packets pass now. @param now ms. @param bytes of payload */
  passes(now: number, packets: number, bytes: number): boolean {
    const left = this.#left;
    const elapsed = now - left[2]!;
    if (elapsed > 0) {
      left[0] = Math.min(this.#mostBits, left[0]! + elapsed * this.#bits);
      left[1] = Math.min(this.#mostPackets, left[1]! + elapsed * this.#packets);
      left[2] = now;
    }
    if (left[0]! <= 0 || left[1]! <= 0) return false;
    left[0]! -= 8 * bytes;
    left[1]! -= packets;
    return true;
  }
}
