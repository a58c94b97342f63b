/** What the kernel counts of a ring, for whoever has a descriptor of it. */
import { check } from "../errno.ts";
import { getsockopt } from "../ffi.ts";

const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;

/** What the kernel did. */
export interface RingStatistics {
  /** Frames that came, dropped ones included. */
  readonly packets: number;
  /** Frames for which the ring had no room. */
  readonly drops: number;
  /** How often it was full. */
  readonly freezes: number;
}

/** Asks, and asks for no memory each time. */
export class RingCounts {
  readonly #numbers = new Uint32Array(3);
  readonly #length = new Uint32Array(1);

  /** What the kernel did since this was last asked, by anybody, for reading sets its counters to zero. @throws SystemError */
  read(fd: number): RingStatistics {
    this.#length[0] = 12;
    // TPACKET_V2 has no third.
    this.#numbers[2] = 0;
    check("PACKET_STATISTICS", getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, this.#numbers, this.#length));
    return { packets: this.#numbers[0]!, drops: this.#numbers[1]!, freezes: this.#numbers[2] };
  }
}
