/** Who sends: a fixed rate that does not care (UDP), or some flows of TCP with CUBIC (RFC 9438), as one fluid. */

/** Somebody who sends. */
export interface Source {
  /** Bytes that are sent in this step. */
  send(now: number, seconds: number): number;
  /** What became of it: what came out at the other end, and what was dropped on the way, bytes. */
  learn(now: number, delivered: number, dropped: number): void;
}

/** A constant rate, kbit/s, in bytes. */
export function constant(kbits: number): Source {
  return {
    send: (_, seconds) => (kbits * 1000 * seconds) / 8,
    learn: () => undefined,
  };
}

const SEGMENT = 1448;
const BETA = 0.7;
const CUBIC_C = 0.4;
/** What a friendly Reno grows by, segments per round trip: 3 (1 - beta) / (1 + beta). */
const FRIENDLY = (3 * (1 - BETA)) / (1 + BETA);
const FIRST_WINDOW = 10;

/** Flows of TCP that do the same at the same time. */
export class Tcp implements Source {
  readonly #flows: number;
  readonly #roundTrip: number;
  readonly #most: number;
  /** Acknowledgements under way: what was delivered, by the step in which its answer arrives. */
  readonly #returning: Float64Array;
  #step = 0;
  #window: number;
  #inFlight = 0;
  #slowStart = true;
  #best = 0;
  #epoch = 0;
  #lastCut = Number.NEGATIVE_INFINITY;

  /**
   * @param roundTrip s, without queues
   * @param seconds of a step
   * @param most the largest window of all together, bytes
   */
  constructor(flows: number, roundTrip: number, seconds: number, most = 8e6) {
    this.#flows = flows;
    this.#roundTrip = roundTrip;
    this.#most = most;
    this.#window = flows * FIRST_WINDOW * SEGMENT;
    this.#returning = new Float64Array(Math.max(1, Math.round(roundTrip / seconds)));
  }

  send(now: number): number {
    const slot = this.#step % this.#returning.length;
    const acked = this.#returning[slot]!;
    this.#returning[slot] = 0;
    this.#inFlight -= acked;
    if (acked > 0) this.#grow(now, acked);
    const sent = Math.max(0, this.#window - this.#inFlight);
    this.#inFlight += sent;
    return sent;
  }

  learn(now: number, delivered: number, dropped: number): void {
    this.#returning[this.#step % this.#returning.length] = delivered;
    this.#step += 1;
    if (dropped <= 0) return;
    this.#inFlight -= dropped;
    // One answer to all that is lost within a round trip, with the queues in it.
    if (now - this.#lastCut < this.#roundTrip + 0.05) return;
    this.#lastCut = now;
    this.#slowStart = false;
    this.#best = this.#window;
    this.#window = Math.max(2 * SEGMENT * this.#flows, this.#window * BETA);
    this.#epoch = now;
  }

  #grow(now: number, acked: number): void {
    if (this.#slowStart) {
      this.#window = Math.min(this.#most, this.#window + acked);
      return;
    }
    const unit = SEGMENT * this.#flows;
    const best = this.#best / unit;
    const since = now - this.#epoch - Math.cbrt((best * (1 - BETA)) / CUBIC_C);
    const target = (CUBIC_C * since ** 3 + best) * unit;
    const cubic = Math.min(0.5, Math.max(0, target / this.#window - 1)) * acked;
    const friendly = (FRIENDLY * unit * acked) / this.#window;
    this.#window = Math.min(this.#most, this.#window + Math.max(cubic, friendly));
  }
}
