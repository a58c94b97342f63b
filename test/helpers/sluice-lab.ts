/** One direction of the controller `sluice` with hand-made answers and counters: what it sees is written in the test. */
import type { Evidence, Point } from "../../src/autorate/controllers/sluice/evidence.ts";
import { weigh } from "../../src/autorate/controllers/sluice/evidence.ts";
import { type Count, useBetween } from "../../src/autorate/controllers/sluice/load.ts";
import { SLUICE_DEFAULTS, type SluiceOptions } from "../../src/autorate/controllers/sluice/options.ts";
import { newSide, type Side } from "../../src/autorate/controllers/sluice/side.ts";
import { stepSide } from "../../src/autorate/controllers/sluice/step.ts";
import type { Around, Step, View } from "../../src/autorate/controllers/sluice/view.ts";
import type { Bounds, DirectionInput, Outstanding } from "../../src/autorate/model.ts";
import { settle } from "../../src/autorate/runner/settle.ts";
import type { Direction } from "../../src/core/both.ts";

/** What the line is taken for, kbit/s. */
export const BOUNDS: Bounds = { min: 2000, base: 10_000, max: 40_000 };
/** ms */
export const THRESHOLD = 15;
/** Six of them, asked by turns. */
const REFLECTORS = 6;
/** Between two probes, s. */
const GAP = 0.05;
/** Round trip without a queue, s. */
const TRIP = 0.02;
/** Between ticks, s. */
const PERIOD = 0.1;

/** A delay by the time at which a probe leaves, ms. */
type DelayOf = (sent: number, reflector: number) => number;

/** Looks at a queue: answers to probes that left from one time until another, the first of a new round first. */
export function pointsOf(from: number, to: number, delay: DelayOf, reflectors = REFLECTORS): Point[] {
  const count = Math.floor((to - from) / GAP + 1e-9);
  return Array.from({ length: count }, (_, i) => {
    const sent = from + i * GAP;
    const delta = delay(sent, i % reflectors);
    return { reflector: `r${i % reflectors}`, sent, received: sent + TRIP + Math.max(0, delta) / 1000, delta };
  });
}

/** Counters of one that sends steadily below a rate that holds, both in kbit/s. */
export function countsOf(from: number, to: number, sent: number, rate: number, before: readonly Count[] = []): Count[] {
  const start = before.at(-1)?.bytes ?? 0;
  const count = Math.round((to - from) / PERIOD) + 1;
  const made = Array.from({ length: count }, (_, i) => ({
    at: from + i * PERIOD,
    bytes: start + sent * 125 * i * PERIOD,
    rate,
  }));
  return [...before, ...(before.length > 0 ? made.slice(1) : made)];
}

/** What a view is made from; what is left out is a line at rest. */
export interface ViewChanges {
  readonly direction?: Direction;
  readonly now?: number;
  readonly rate?: number;
  readonly side?: Partial<Side>;
  readonly fresh?: readonly Point[];
  readonly outstanding?: readonly Outstanding[];
  readonly overdue?: number;
  readonly options?: Partial<SluiceOptions>;
  readonly evidence?: Partial<Evidence>;
}

/** A side at rest, with changes. */
const sideOf = (changes: Partial<Side> = {}): Side => ({
  ...newSide({ at: 0, bytes: 0, rate: BOUNDS.base }, SLUICE_DEFAULTS),
  ...changes,
});

/** A view: evidence and use are weighed from the points and counts of the side. */
export function viewOf(changes: ViewChanges): View {
  const { direction = "download", now = 100, rate = BOUNDS.base, fresh = [], outstanding = [], overdue } = changes;
  const side = sideOf(changes.side);
  const options = { ...SLUICE_DEFAULTS, ...changes.options };
  const last = useBetween(side.counts, now - PERIOD, now);
  const input: DirectionInput = {
    deltas: [],
    rate,
    bytes: side.counts.at(-1)!.bytes,
    achieved: last.achieved,
    load: last.achieved / rate,
    bounds: BOUNDS,
    threshold: THRESHOLD,
  };
  const around: Around = { direction, now, elapsed: PERIOD, fresh, outstanding, overdue };
  const evidence = { ...weigh(side.points, THRESHOLD, now), ...changes.evidence };
  return {
    options,
    input,
    around,
    side,
    evidence,
    use: useBetween(side.counts, now - 0.35, now),
    threshold: THRESHOLD,
  };
}

/** What a tick of the lab brings. */
export interface LabTick {
  /** kbit/s; `load` of the rate otherwise. */
  readonly sent?: number;
  readonly load?: number;
  /** Of the probes that leave in this tick, ms; Infinity: no answer. */
  readonly delay?: number | DelayOf;
}

/** A direction that is driven tick by tick. Mutable. */
export class SluiceLab {
  readonly direction: Direction;
  readonly options: SluiceOptions;
  side: Side;
  rate: number;
  now = 100;
  last: Step | undefined;
  readonly bounds: Bounds;
  /** What waits before the line of {@link runOver}, s. */
  queue = 0;
  #comes = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #next = 100;
  #turn = 0;
  #waiting: Point[] = [];

  constructor(
    direction: Direction = "download",
    rate = BOUNDS.base,
    options: Partial<SluiceOptions> = {},
    bounds = BOUNDS,
  ) {
    this.direction = direction;
    this.options = { ...SLUICE_DEFAULTS, ...options };
    this.rate = rate;
    this.bounds = bounds;
    this.side = newSide({ at: this.now, bytes: 0, rate }, this.options);
  }

  /** The branch that was taken last. */
  get branch(): string {
    return this.last?.verdict.branch ?? "";
  }

  /** One tick: what was sent since the last, and the answers that came in it. */
  tick({ load = 0, sent = load * this.rate, delay = 0 }: LabTick): Step {
    this.now += PERIOD;
    this.#bytes += sent * 125 * PERIOD;
    for (; this.#next <= this.now; this.#next += GAP, this.#turn += 1) {
      const at = this.#next;
      const index = this.#turn % REFLECTORS;
      const delta = typeof delay === "number" ? delay : delay(at, index);
      this.#waiting.push({ reflector: `r${index}`, sent: at, received: at + TRIP + Math.max(0, delta) / 1000, delta });
    }
    const fresh = this.#waiting
      .filter(({ received }) => received <= this.now)
      .toSorted((a, b) => a.received - b.received);
    this.#waiting = this.#waiting.filter(({ received }) => received > this.now);
    const outstanding = this.#waiting.map(({ reflector, sent: at }) => ({
      reflector,
      sent: at,
      baseline: TRIP * 1000,
    }));
    const achieved = sent;
    const input: DirectionInput = {
      deltas: [],
      rate: this.rate,
      bytes: this.#bytes,
      achieved,
      load: achieved / this.rate,
      bounds: this.bounds,
      threshold: THRESHOLD,
    };
    const around: Around = {
      direction: this.direction,
      now: this.now,
      elapsed: PERIOD,
      fresh,
      outstanding,
      overdue: undefined,
    };
    this.last = stepSide(this.side, input, around, this.options);
    this.side = this.last.side;
    this.rate = settle(this.last.verdict.rate, this.bounds);
    return this.last;
  }

  /** Ticks for so long, s; gives the branches that were taken. */
  run(seconds: number, tick: LabTick): string[] {
    return Array.from({ length: Math.round(seconds / PERIOD) }, () => this.tick(tick).verdict.branch);
  }

  /**
   * Ticks over a line that carries so much (kbit/s), for those who want more than the shaper lets through; gives the branches
   * that were taken. The queue before the line grows by what comes beyond the capacity. An upload comes at the shaper's rate;
   * a download does so too, until less comes out: then it comes as fast as its answers do.
   */
  runOver(capacity: number, seconds: number): string[] {
    return Array.from({ length: Math.round(seconds / PERIOD) }, () => {
      const [begin, waiting, rate] = [this.now, this.queue, this.rate];
      const arrives = this.direction === "upload" ? rate : Math.min(rate, this.#comes);
      const slope = (arrives - capacity) / capacity;
      const after = (time: number): number => Math.max(0, waiting + slope * time);
      this.queue = after(PERIOD);
      // A shaper behind the queue has no more to let through than what comes out of it.
      const sent = this.direction === "upload" ? rate : Math.min(rate, capacity);
      this.#comes = sent < rate ? sent : Number.POSITIVE_INFINITY;
      return this.tick({ sent, delay: (at) => 1000 * after(Math.max(0, at - begin)) }).verdict.branch;
    });
  }
}
