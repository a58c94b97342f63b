/** The prober of a simulated line: probes by turns, answers with stamps of whole milliseconds, baselines of the real ones. */
import type { Both } from "../../core/both.ts";
import { type BaselineState, collectDeltas, step } from "../baseline.ts";
import type { Judged, Outstanding } from "../model.ts";
import type { Scenario } from "./scenario.ts";
import type { Path, Probe, Transit } from "./transit.ts";

/** Of one reflector, s. */
const INTERVAL = 0.3;
/** An answer counts as fresh for two of these, s. */
const FRESH = 0.5;
/** Nobody waits for a probe any longer, s. */
const GIVEN_UP = 10;
/** The wall clock at the start, ms of the day. */
const WALL = 36_000_000;
/** Made-up stamps are anywhere in so many ms. */
const LIES = 1000;

const stampAt = (seconds: number): number => Math.floor(WALL + seconds * 1000);

/** Asks the reflectors of a scenario. */
export class Probing {
  readonly #scenario: Scenario;
  readonly #transit: Transit;
  readonly #states = new Map<string, BaselineState>();
  readonly #waiting: Outstanding[] = [];
  #samples: Judged[] = [];
  #next = 0.01;
  #turn = 0;

  constructor(scenario: Scenario, transit: Transit) {
    this.#scenario = scenario;
    this.#transit = transit;
  }

  /** Sends what is due. */
  send(now: number): void {
    if (now < this.#next) return;
    const { reflectors } = this.#scenario;
    const index = this.#turn % reflectors.length;
    const { address } = reflectors[index]!;
    const baseline = this.#states.get(address)?.rtt.base;
    this.#waiting.push({ reflector: address, sent: now, ...(baseline !== undefined && { baseline }) });
    this.#transit.send(index, now, 0);
    this.#turn += 1;
    this.#next += INTERVAL / reflectors.length;
  }

  /** Takes an answer. */
  back({ reflector, sent, turned, received }: Probe): void {
    const { random, reflectors } = this.#scenario;
    const { address, offset, lies } = reflectors[reflector]!;
    const away = lies ? Math.floor(random() * LIES) : Math.floor(offset);
    const there = stampAt(turned) + away;
    const owd = { upload: there - stampAt(sent), download: stampAt(received) - there };
    const rtt = (received - sent) * 1000;
    const { state, delta } = step(this.#states.get(address), { received, owd, rtt }, { kind: "real" });
    this.#states.set(address, state);
    this.#samples.push({ reflector: address, mode: "timestamp", sent, received, owd, rtt, delta });
    const waited = this.#waiting.findIndex((probe) => probe.sent === sent && probe.reflector === address);
    // One that is answered leaves none of before that is worth waiting for.
    for (let i = waited; i >= 0; i -= 1) if (this.#waiting[i]!.reflector === address) this.#waiting.splice(i, 1);
  }

  /** What came since, and what is waited for. */
  take(now: number): { samples: readonly Judged[]; outstanding: readonly Outstanding[] } {
    while (this.#waiting.length > 0 && this.#waiting[0]!.sent < now - GIVEN_UP) this.#waiting.shift();
    const samples = this.#samples;
    this.#samples = [];
    return { samples, outstanding: [...this.#waiting] };
  }

  /** Smoothed deltas of those that answered lately, ascending. */
  deltas(now: number): Both<number[]> {
    return collectDeltas(this.#states.values(), now, FRESH);
  }
}

/** What a line adds to its queues: the distance of its reflectors, jitter, and delays that nobody here causes. */
export function pathOf({ reflectors, jitter, spikes, random }: Scenario): Path {
  const extra = (now: number): number => {
    for (const { at, length, delay } of spikes) if (now >= at && now < at + length) return delay / 2;
    return 0;
  };
  const way = (base: number, now: number): number =>
    (base + (spikes.length > 0 ? extra(now) : 0) - jitter * Math.log(1 - random())) / 1000;
  return {
    up: (index, now) => way(reflectors[Math.max(0, index)]!.base.upload, now),
    down: (index, now) => way(reflectors[Math.max(0, index)]!.base.download, now),
    answers: (index, now) => index < 0 || now < (reflectors[index]!.silentFrom ?? Number.POSITIVE_INFINITY),
  };
}
