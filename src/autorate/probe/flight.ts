/** Probes under way, and what became of those before. */
import type { ProbeKind } from "../../linux/icmp/codec.ts";
import type { Moment } from "./wall.ts";

/** One of them. */
export interface Probe {
  readonly address: string;
  readonly kind: ProbeKind;
  readonly sequence: number;
  /** What the answer must give back. */
  readonly token: number;
  readonly sent: Moment;
}

/** Why an answer is not taken: to nothing that was asked, a second time, too late, with another token. */
export type Unmatched = "unasked" | "duplicate" | "late" | "token";

/** After this an answer is too late, ms. */
const LATE = 10_000;
/** For how long it is known what became of a probe, ms. */
const MEMORY = 20_000;

interface Waiting {
  readonly probe: Probe;
  /** A later one of its kind was answered: it is lost, or on another way. */
  overtaken: boolean;
}

const keyOf = (address: string, kind: ProbeKind, sequence: number): string => `${address} ${kind} ${sequence}`;

/** All of one link. Times are in ms of the clock that never steps. */
export class Flight {
  /** In the order in which they were sent. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #past = new Map<string, { readonly outcome: "answered" | "late"; readonly at: number }>();

  /** Notes one that was sent. */
  add(probe: Probe): void {
    const key = keyOf(probe.address, probe.kind, probe.sequence);
    this.#past.delete(key);
    this.#waiting.set(key, { probe, overtaken: false });
  }

  /**
   * Finds the probe that an answer is to, once.
   *
   * @returns it, with how many before it are given up by that; or why there is none
   */
  match(
    address: string,
    kind: ProbeKind,
    sequence: number,
    token: number,
    now: number,
  ): { readonly probe: Probe; readonly overtaken: number } | Unmatched {
    const key = keyOf(address, kind, sequence);
    const found = this.#waiting.get(key);
    if (!found) {
      const past = this.#past.get(key);
      return past ? (past.outcome === "answered" ? "duplicate" : "late") : "unasked";
    }
    if (found.probe.token !== token) return "token";
    this.#end(key, "answered", now);
    if (now - found.probe.sent.monotonic > LATE) return "late";
    let overtaken = 0;
    for (const other of this.#waiting.values()) {
      if (other.probe.sent.monotonic > found.probe.sent.monotonic) break;
      if (other.overtaken || other.probe.address !== address || other.probe.kind !== kind) continue;
      other.overtaken = true;
      overtaken += 1;
    }
    return { probe: found.probe, overtaken };
  }

  /** Gives up those that are too late now, and gives them unless they were given up before. */
  expire(now: number): Probe[] {
    const lost: Probe[] = [];
    for (const [key, { probe, overtaken }] of this.#waiting) {
      if (now - probe.sent.monotonic <= LATE) break;
      this.#end(key, "late", now);
      if (!overtaken) lost.push(probe);
    }
    for (const [key, { at }] of this.#past) {
      if (now - at <= MEMORY) break;
      this.#past.delete(key);
    }
    return lost;
  }

  /** Those that may still be answered, the oldest first. */
  get waiting(): Probe[] {
    return [...this.#waiting.values()].filter(({ overtaken }) => !overtaken).map(({ probe }) => probe);
  }

  /** Waits for none of them any more; answers that come all the same are still taken. */
  overlook(): void {
    for (const waiting of this.#waiting.values()) waiting.overtaken = true;
  }

  #end(key: string, outcome: "answered" | "late", at: number): void {
    this.#waiting.delete(key);
    this.#past.set(key, { outcome, at });
  }
}
