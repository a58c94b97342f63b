/** A link whose loop turns by hand: a clock that is set, targets in memory, reflectors and a controller that do as told. */
import type { DirectionConfig, LinkConfig, TargetSpec } from "../../src/autorate/config.ts";
import type { Driver } from "../../src/autorate/controllers/controller.ts";
import type { Bounds, Decision, Judged, TickInput } from "../../src/autorate/model.ts";
import type { TickRecord } from "../../src/autorate/record/tick.ts";
import { Aim } from "../../src/autorate/runner/aim.ts";
import { type LinkEvent, LinkRunner, type PluginChain } from "../../src/autorate/runner/link.ts";
import { DryRunTarget } from "../../src/autorate/targets/dry-run.ts";
import { both, type Both, type Direction, DIRECTIONS } from "../../src/core/both.ts";
import type { Clock } from "../../src/core/clock.ts";
import { sluiceError } from "../../src/core/errors.ts";
import type { RateObservation, RateTarget } from "../../src/core/rate-target.ts";
import { type BitsPerSecond, bitsPerSecond, bytes, milliseconds, wholeBytesRate } from "../../src/core/units.ts";

/** A clock that is set by hand, ms. */
class HandClock implements Clock {
  at = 1_000_000;
  /** Of the wall clock, ahead of the other. */
  offset = 1_700_000_000_000;
  now = () => milliseconds(this.at + this.offset);
  monotonic = () => milliseconds(this.at);
}

/** A shaper in memory. */
export class MemoryTarget implements RateTarget {
  readonly label: string;
  /** kbit/s; undefined: no limit. */
  rate: number | undefined = 77_000;
  sent = 0;
  /** Why it is not there. */
  absence: string | undefined;
  /** Why it cannot be read, as an error. */
  unreadable: string | undefined;
  /** Why it does not take a rate. */
  refusal: string | undefined;
  /** Every rate that was asked for, kbit/s, those that were refused too. */
  readonly asked: number[] = [];
  released = 0;
  disposed = false;

  constructor(label: string) {
    this.label = label;
  }

  observe(): RateObservation | undefined {
    if (this.unreadable !== undefined) throw new Error(this.unreadable);
    if (this.absence !== undefined) return undefined;
    const rate = this.rate === undefined ? undefined : bitsPerSecond(this.rate * 1000);
    return { rate, sent: bytes(Math.floor(this.sent)), backlog: bytes(0) };
  }

  set(rate: BitsPerSecond): Promise<BitsPerSecond> {
    return Promise.try(() => {
      this.asked.push(rate / 1000);
      const params = { target: this.label, rate: String(rate), reason: this.refusal ?? this.absence ?? "" };
      if (this.absence !== undefined) throw sluiceError("AUTORATE_TARGET_MISSING", params);
      if (this.refusal !== undefined) throw sluiceError("AUTORATE_TARGET_REFUSED", params);
      const kept = wholeBytesRate(rate);
      this.rate = kept / 1000;
      return kept;
    });
  }

  /** It is made anew: another counter, at another rate. */
  remake(rate: number | undefined): void {
    this.absence = undefined;
    this.rate = rate;
    this.sent = 0;
  }

  [Symbol.dispose](): void {
    this.disposed = true;
  }
}

/** One that somebody has planned a rate for. */
export class PlannedTarget extends MemoryTarget {
  release(): Promise<void> {
    this.released += 1;
    return Promise.resolve();
  }
}

const SPEC: TargetSpec = { kind: "auto", device: "wan" };
/** What a direction is when nothing else is said, kbit/s. */
export const BOUNDS: Both<Bounds> = {
  download: { min: 4000, base: 20_000, max: 40_000 },
  upload: { min: 1000, base: 5000, max: Number.POSITIVE_INFINITY },
};

const direction = (d: Direction): DirectionConfig => ({
  target: SPEC,
  bounds: BOUNDS[d],
  threshold: 15,
  adjust: true,
});

/** A link with nothing of note in its configuration. */
export const linkConfig = (changes: Partial<LinkConfig> = {}): LinkConfig => ({
  name: "wan",
  controller: "sluice",
  options: {},
  plugins: [],
  pluginSettings: {},
  luaOnError: "min",
  directions: both(direction),
  probe: { modes: ["timestamp"], interval: 0.3, reflectors: 6, reselect: 900 },
  highLoad: 0.8,
  activeRate: 500,
  onSilence: "hold",
  idleSleep: 60,
  restore: false,
  ...changes,
});

/** An answer that came now, s. */
const sample = (now: number, delta: number): Judged => ({
  reflector: "192.0.2.1",
  mode: "timestamp",
  sent: now - 0.02,
  received: now,
  owd: both(() => 10 + delta),
  rtt: 20 + 2 * delta,
  delta: both(() => delta),
});

/** What is decided of both directions alike, or of each. */
export const decision = (rates: Both<number>, more: Partial<Decision> = {}): Decision => ({
  ...both((d) => ({ rate: rates[d], branch: "test" })),
  ...more,
});

/** What a bench is made with. */
export interface BenchOptions {
  readonly config?: Partial<LinkConfig>;
  readonly start?: Both<number>;
  readonly targets?: Partial<Both<MemoryTarget>>;
  readonly plugins?: PluginChain;
}

/** Between ticks, s. */
const PERIOD = 0.1;

/** The bench. */
export class LinkBench {
  readonly clock = new HandClock();
  readonly targets: Partial<Both<MemoryTarget>>;
  readonly runner: LinkRunner;
  readonly events: LinkEvent[] = [];
  readonly records: TickRecord[] = [];
  /** What the controller was told. */
  readonly inputs: TickInput[] = [];
  /** What becomes of a tick; the rates stay as they are when nothing else is said. */
  decide: (input: TickInput) => Decision | Promise<Decision> = ({ directions }) =>
    decision(both((d) => directions[d].rate));
  /** Whether reflectors answer, and what they see, ms. */
  answering = true;
  delta = 1;
  /** What is sent, kbit/s, whatever the targets are set to. */
  traffic: Both<number> = { download: 10_000, upload: 2000 };
  readonly ear = { paused: false, pauses: 0, wishes: 0 };
  #asked = true;

  constructor({ config, start = { download: 16_000, upload: 4000 }, targets, plugins }: BenchOptions = {}) {
    const link = linkConfig(config);
    this.targets = targets ?? {
      download: new MemoryTarget("tbf on ifb4wan"),
      upload: new MemoryTarget("tbf on wan"),
    };
    const aims = Object.fromEntries(
      DIRECTIONS.flatMap((d) => {
        const [wanted, target] = [link.directions[d], this.targets[d]];
        if (!wanted || !target) return [];
        // As openTarget does.
        return [[d, new Aim(wanted, wanted.adjust ? target : new DryRunTarget(target))] as const];
      }),
    );
    const driver: Driver = {
      name: "test",
      period: PERIOD,
      decide: (input) => {
        this.inputs.push(input);
        return this.decide(input);
      },
      history: () => both((d) => [start[d]]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    this.runner = new LinkRunner({
      config: link,
      clock: this.clock,
      ear: {
        take: () => ({ samples: this.#hears ? [sample(this.clock.at / 1000, this.delta)] : [], outstanding: [] }),
        deltas: () => both(() => (this.#hears ? [this.delta, this.delta, this.delta] : [])),
        pause: () => {
          this.ear.pauses += 1;
          this.ear.paused = true;
        },
        resume: () => (this.ear.paused = false),
        reselect: () => (this.ear.wishes += 1),
      },
      aims,
      start,
      driver,
      ...(plugins && { plugins }),
      happened: (event) => this.events.push(event),
      ticked: (record) => this.records.push(record),
    });
  }

  /** Whoever was not asked does not answer. */
  get #hears(): boolean {
    return this.answering && this.#asked;
  }

  /** The last record. */
  get last(): TickRecord {
    return this.records.at(-1)!;
  }

  /** Events of a kind, without it. */
  happened<K extends LinkEvent["kind"]>(kind: K): readonly Extract<LinkEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<LinkEvent, { kind: K }> => event.kind === kind);
  }

  /** States that it went through, the first of them left out. */
  get states(): string[] {
    return this.happened("state").map(({ to }) => to);
  }

  /** Lets time pass, and one tick or several. */
  async tick(count = 1): Promise<TickRecord> {
    for (let i = 0; i < count; i += 1) {
      this.clock.at += PERIOD * 1000;
      for (const d of DIRECTIONS) {
        const target = this.targets[d];
        if (target && target.absence === undefined) target.sent += (this.traffic[d] * 1000 * PERIOD) / 8;
      }
      this.#asked = !this.ear.paused;
      await this.runner.tick();
    }
    return this.last;
  }

  /** The same by the time that passes, s. */
  async pass(seconds: number): Promise<TickRecord> {
    return this.tick(Math.round(seconds / PERIOD));
  }
}
