/**
 * The loop of one link: look at the targets, hear the reflectors, let the controller decide and the plugins speak, keep to
 * the bounds, write what changed, and keep a record of it. It never ends by a fault of anything it works with: a target
 * that vanished is waited for, a write that failed is tried again, a silent line is left as it is.
 */
import { both, type Both, type Direction, DIRECTIONS } from "../../core/both.ts";
import type { Clock } from "../../core/clock.ts";
import { briefly } from "../../core/errors.ts";
import type { LinkConfig } from "../config.ts";
import type { Driver } from "../controllers/controller.ts";
import {
  type Bounds,
  type Decision,
  type DirectionInput,
  type Judged,
  NO_BOUNDS,
  type Outstanding,
  type TickInput,
} from "../model.ts";
import type { TickRecord } from "../record/tick.ts";
import type { Aim } from "./aim.ts";
import { decides, hearing, type LinkState, silenced, SILENCE_ACTS } from "./hearing.ts";
import { type Counted, loads, type Loads } from "./measure.ts";
import { settle } from "./settle.ts";

/** Who hears the reflectors. */
export interface Ear {
  /** What came since the last take. */
  take(): { readonly samples: readonly Judged[]; readonly outstanding: readonly Outstanding[] };
  /** Smoothed deltas of those that answered lately, ascending. @param now s */
  deltas(now: number): Both<number[]>;
  pause(): void;
  resume(): void;
  /** Others are wanted. */
  reselect(): void;
}

/** What plugins are told and what they make of it. */
export interface PluginCall {
  readonly input: TickInput;
  readonly decision: Decision;
}

/** Plugins, seen from here. */
export interface PluginChain {
  /** Undefined where there is too little measured to ask them. */
  process(call: PluginCall): Promise<
    | {
        readonly rates: Both<number>;
        readonly thresholds: Both<number>;
        readonly notes: readonly string[];
      }
    | undefined
  >;
}

/** Things that happen to a link, each worth an event. */
export type LinkEvent =
  | { readonly kind: "state"; readonly from: LinkState; readonly to: LinkState }
  | {
      readonly kind: "foreign";
      readonly direction: Direction;
      readonly found: number | undefined;
      readonly set: number;
    }
  | { readonly kind: "target-missing"; readonly direction: Direction; readonly target: string; readonly reason: string }
  | { readonly kind: "target-found"; readonly direction: Direction; readonly target: string }
  | { readonly kind: "write-failed"; readonly direction: Direction; readonly target: string; readonly reason: string }
  | { readonly kind: "written"; readonly direction: Direction }
  | { readonly kind: "controller-failed"; readonly reason: string };

/** What a link is made of. */
export interface LinkParts {
  readonly config: LinkConfig;
  readonly clock: Clock;
  readonly ear: Ear;
  readonly aims: Partial<Both<Aim>>;
  /** Rates to begin with, kbit/s. */
  readonly start: Both<number>;
  /** Closed by who made it. */
  readonly driver: Driver;
  readonly plugins?: PluginChain;
  readonly happened: (event: LinkEvent) => void;
  readonly ticked: (record: TickRecord) => void;
}

/** What becomes of a target when its link is closed, though sluice goes on. */
export type Fate =
  /** Another link drives it from now on. */
  | "kept"
  /** Nobody does: it goes back to whoever has planned it, else as when sluice stops. */
  | "returned";

/** Silence is silence after so many probe intervals, and at least so long, s. */
const SILENT_INTERVALS = 5;
const SILENT_LEAST = 1;

/** A link under control. Whoever makes it calls {@link LinkRunner.tick} once in a period. */
export class LinkRunner implements AsyncDisposable {
  readonly #parts: LinkParts;
  readonly #bounds: Both<Bounds>;
  readonly #since: number;
  #rates: Both<number>;
  #thresholds: Both<number>;
  #counted: Counted | undefined;
  #state: LinkState = "starting";
  #answered: number | undefined;
  #active: number;
  #tick = 0;
  /** Why they are. */
  readonly #missing = new Map<Direction, string>();
  readonly #refused = new Set<Direction>();
  #fates: Both<Fate> | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    const { directions } = parts.config;
    this.#bounds = both((d) => directions[d]?.bounds ?? NO_BOUNDS);
    this.#thresholds = both((d) => directions[d]?.threshold ?? Number.POSITIVE_INFINITY);
    this.#rates = parts.start;
    this.#since = this.#now();
    this.#active = this.#since;
  }

  /** In one word. */
  get state(): LinkState {
    return this.#state;
  }

  /** What the targets are to be set to, kbit/s. */
  get rates(): Both<number> {
    return this.#rates;
  }

  /** Delays that count as bloat, ms; plugins may have changed them. */
  get thresholds(): Both<number> {
    return this.#thresholds;
  }

  /** Safe rates, for controllers that remember them. */
  history(): Both<readonly number[]> | undefined {
    return this.#parts.driver.history?.();
  }

  #now(): number {
    return this.#parts.clock.monotonic() / 1000;
  }

  /** One pass. Does not throw. */
  async tick(): Promise<TickRecord> {
    const now = this.#now();
    this.#tick += 1;
    const { aims, ear } = this.#parts;
    const { samples, outstanding } = ear.take();
    // In an idle link nobody is asked: when it wakes, answers are waited for from then on.
    if (samples.length > 0 || this.#state === "idle") this.#answered = now;
    const notes: string[] = [];
    let measurable = true;
    const there = DIRECTIONS.filter((d) => {
      const sight = aims[d]?.look();
      if (!sight) return false;
      this.#note(d, sight.kind === "missing" ? sight.reason : undefined);
      if (sight.kind === "missing") return false;
      if (sight.restarted) measurable = false;
      this.#adopt(d, sight.rate, sight.foreign);
      return true;
    });
    const count = { at: now, bytes: both((d) => aims[d]?.bytes ?? 0) };
    const measured = this.#counted && measurable ? loads(this.#counted, count, this.#rates) : undefined;
    this.#counted = count;
    if (measured && DIRECTIONS.some((d) => measured.achieved[d] >= this.#parts.config.activeRate)) this.#active = now;
    this.#enter(this.#judge(now, there, measured));

    const input = measured && this.#input(now, count, measured, samples, outstanding);
    if (!measurable) notes.push("a byte counter began anew");
    const decision = input && (await this.#decide(input, notes));
    const wanted = await this.#settled(input, decision, now, notes);
    // Where nothing may be written, the rate is what is there, whatever is wanted.
    this.#rates = both((d) => (this.#adjusts(d) ? wanted[d] : this.#rates[d]));
    const written = await this.#write(there, wanted);
    const record: TickRecord = {
      wall: this.#parts.clock.now(),
      state: this.#state,
      ...(input && { input }),
      ...(decision && { decision }),
      wanted,
      rates: this.#rates,
      written,
      notes,
    };
    this.#parts.ticked(record);
    return record;
  }

  /** Somebody else's rate is put back; where nothing is to be written it is taken as it is. */
  #adopt(direction: Direction, rate: number | undefined, foreign: boolean): void {
    const { aims, happened } = this.#parts;
    if (!this.#adjusts(direction)) {
      if (rate !== undefined) this.#rates = { ...this.#rates, [direction]: rate };
      return;
    }
    if (!foreign) return;
    aims[direction]!.release();
    happened({ kind: "foreign", direction, found: rate, set: this.#rates[direction] });
  }

  /** Tells of a target that went or came, once, and again when it is another reason why it is not there. */
  #note(direction: Direction, missing: string | undefined): void {
    const { aims, happened } = this.#parts;
    const target = aims[direction]!.target.label;
    if (missing === undefined) {
      if (this.#missing.delete(direction)) happened({ kind: "target-found", direction, target });
    } else if (this.#missing.get(direction) !== missing) {
      this.#missing.set(direction, missing);
      happened({ kind: "target-missing", direction, target, reason: missing });
    }
  }

  #judge(now: number, there: readonly Direction[], measured: Loads | undefined): LinkState {
    if (there.length === 0) return "waiting";
    const { probe, idleSleep } = this.#parts.config;
    const patience = { silence: Math.max(SILENT_LEAST, SILENT_INTERVALS * probe.interval), idle: idleSleep };
    const heard = { now, since: this.#since, answered: this.#answered, active: this.#active };
    // A direction that the link does not have carries whatever its other one does.
    const known = both((d) => measured?.achieved[this.#parts.aims[d] ? d : other(d)] ?? 0);
    return hearing({ ...heard, achieved: known }, patience);
  }

  #enter(state: LinkState): void {
    const from = this.#state;
    if (from === state) return;
    this.#state = state;
    const { ear, happened } = this.#parts;
    if (state === "idle") ear.pause();
    if (from === "idle") ear.resume();
    happened({ kind: "state", from, to: state });
  }

  #input(
    now: number,
    count: Counted,
    { elapsed, achieved, load }: Loads,
    samples: readonly Judged[],
    outstanding: readonly Outstanding[],
  ): TickInput {
    const { aims, ear } = this.#parts;
    const deltas = ear.deltas(now);
    const directions = both((d): DirectionInput => ({
      deltas: deltas[d],
      rate: this.#rates[d],
      bytes: count.bytes[d],
      achieved: aims[d] ? achieved[d] : 0,
      load: aims[d] ? load[d] : 0,
      bounds: this.#bounds[d],
      threshold: this.#thresholds[d],
    }));
    return { now, elapsed, tick: this.#tick, directions, samples, outstanding };
  }

  /** Asks the controller, when there is something to go by. */
  async #decide(input: TickInput, notes: string[]): Promise<Decision | undefined> {
    if (!decides(this.#state)) {
      notes.push(REASONS[this.#state]);
      return undefined;
    }
    const { driver, ear, happened } = this.#parts;
    try {
      const decision = await driver.decide(input);
      if (decision.reselect) ear.reselect();
      return decision;
    } catch (error) {
      // A controller that throws is broken; the line is not to suffer for it.
      notes.push(`the controller failed: ${briefly(error)}`);
      happened({ kind: "controller-failed", reason: briefly(error) });
      return undefined;
    }
  }

  /** What is to be written: the decision, what plugins make of it, silence, bounds. */
  async #settled(
    input: TickInput | undefined,
    decision: Decision | undefined,
    now: number,
    notes: string[],
  ): Promise<Both<number>> {
    let rates = decision ? both((d) => decision[d].rate) : this.#rates;
    if (input && decision) rates = await this.#plugged(input, decision, notes);
    const silent = this.#state === "blind" && now - (this.#answered ?? this.#since) >= SILENCE_ACTS;
    // Whatever a controller makes of silence, after a while it is for the operator to say.
    if (silent) rates = silenced(this.#parts.config.onSilence, this.#rates, this.#bounds);
    return both((d) => settle(rates[d], this.#bounds[d]));
  }

  /** The rates that the plugins make of a decision; its own when they are not asked. */
  async #plugged(input: TickInput, decision: Decision, notes: string[]): Promise<Both<number>> {
    const decided = both((d) => decision[d].rate);
    const { plugins } = this.#parts;
    try {
      const outcome = await plugins?.process({ input, decision });
      if (!outcome) return decided;
      this.#thresholds = outcome.thresholds;
      notes.push(...outcome.notes);
      return outcome.rates;
    } catch (error) {
      notes.push(`the plugins failed: ${briefly(error)}`);
      return decided;
    }
  }

  #adjusts(direction: Direction): boolean {
    return this.#parts.config.directions[direction]?.adjust === true;
  }

  /** Writes what changed, and what was changed by others. */
  async #write(there: readonly Direction[], wanted: Both<number>): Promise<Direction[]> {
    const written: Direction[] = [];
    for (const d of there) {
      const aim = this.#parts.aims[d]!;
      if (aim.isSetTo(wanted[d])) continue;
      try {
        // A dry run takes it, and tells what it would do.
        await aim.set(wanted[d]);
        if (this.#refused.delete(d)) this.#parts.happened({ kind: "written", direction: d });
        if (this.#adjusts(d)) written.push(d);
      } catch (error) {
        if (this.#refused.has(d)) continue;
        this.#refused.add(d);
        const { happened } = this.#parts;
        happened({ kind: "write-failed", direction: d, target: aim.target.label, reason: briefly(error) });
      }
    }
    return written;
  }

  /** Sluice goes on without this link: says what becomes of what it drove. */
  retire(fates: Both<Fate>): void {
    this.#fates = fates;
  }

  /** Leaves the targets as they shall be left, and lets go of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const d of DIRECTIONS) {
      using aim = this.#parts.aims[d];
      const fate = this.#fates?.[d];
      if (!aim || !this.#adjusts(d) || aim.writes.done === 0 || fate === "kept") continue;
      try {
        if (fate === "returned" && aim.target.release) await aim.target.release();
        else if (this.#parts.config.restore) await aim.set(this.#bounds[d].base);
      } catch (error) {
        this.#parts.happened({
          kind: "write-failed",
          direction: d,
          target: aim.target.label,
          reason: briefly(error),
        });
      }
    }
  }
}

const other = (direction: Direction): Direction => (direction === "download" ? "upload" : "download");

/** Why a controller is not asked. */
const REASONS: Readonly<Record<LinkState, string>> = {
  starting: "no reflector has answered yet",
  running: "",
  blind: "",
  idle: "without traffic",
  stalled: "neither answers nor traffic: the line is dead for now",
  waiting: "what is to be set is not there",
};
