/** The last packets of a rule, for whoever wonders what comes in. Costs nothing to rules that nobody asks about. */
import { addressText } from "../../core/prefix.ts";
import { MOST_TRACED, type TracedPacket } from "../worker/message-codec.ts";
import type { Packet } from "./packet.ts";

/** What became of a packet: it was handed to the outputs, or it is in the counter of that name. */
export type TraceOutcome = "sent" | "capped" | "shed";

/** Nobody has asked for this long, ms: nothing is kept any more. */
const IDLE = 60_000;
const WORDS = 4;

const hostText = (words: Int32Array, at: number, family: 4 | 6, port: number): string => {
  const bytes = Buffer.alloc(family === 4 ? 4 : 16);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeInt32BE(words[at + i / 4]!, i);
  return family === 4 ? `${addressText(bytes)}:${port}` : `[${addressText(bytes)}]:${port}`;
};

/** The packets of one rule, from when they are first asked for. */
export class Trace {
  readonly #family: 4 | 6;
  readonly #times = new Float64Array(MOST_TRACED);
  readonly #addresses = new Int32Array(2 * WORDS * MOST_TRACED);
  readonly #ports = new Uint16Array(2 * MOST_TRACED);
  readonly #lengths = new Uint32Array(MOST_TRACED);
  readonly #outcomes: TraceOutcome[] = [];
  /** How many there were in all. */
  #count = 0;
  #askedAt: number;

  /** @param now ms since the epoch */
  constructor(family: 4 | 6, now: number) {
    this.#family = family;
    this.#askedAt = now;
  }

  /**
   * Keeps a packet, and forgets the oldest for it.
   *
   * @param view what the packet is in
   * @param now ms since the epoch
   * @returns whether anybody is still interested
   */
  take(packet: Packet, view: DataView, outcome: TraceOutcome, now: number): boolean {
    const at = this.#count % MOST_TRACED;
    this.#count += 1;
    this.#times[at] = now;
    this.#addresses.set(packet.source, 2 * WORDS * at);
    this.#addresses.set(packet.destination, 2 * WORDS * at + WORDS);
    this.#ports[2 * at] = view.getUint16(packet.udpAt);
    this.#ports[2 * at + 1] = packet.port;
    this.#lengths[at] = packet.segment;
    this.#outcomes[at] = outcome;
    return now - this.#askedAt < IDLE;
  }

  /** The last ones, the oldest of them first. @param now ms since the epoch */
  packets(most: number, now: number): TracedPacket[] {
    this.#askedAt = now;
    const count = Math.min(this.#count, most, MOST_TRACED);
    return Array.from({ length: count }, (_, index) => {
      const at = (this.#count - count + index) % MOST_TRACED;
      const address = 2 * WORDS * at;
      return {
        time: this.#times[at]!,
        source: hostText(this.#addresses, address, this.#family, this.#ports[2 * at]!),
        destination: hostText(this.#addresses, address + WORDS, this.#family, this.#ports[2 * at + 1]!),
        length: this.#lengths[at]!,
        outcome: this.#outcomes[at]!,
      };
    });
  }
}
