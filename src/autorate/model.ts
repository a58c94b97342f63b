/**
 * Autorate's nouns. All of it is plain data, and in the units of the field, for whole numbers of them are what the
 * controllers reckon with: rates in kbit/s (1000 bit/s), delays in milliseconds (ms), times in seconds (s) of a clock that
 * never steps, unless a name says otherwise.
 */
import type { Both } from "../core/both.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

/** How a reflector is asked, best first: delay per direction, half the round trip of a timestamp, half that of an echo. */
export const PROBE_MODES = ["timestamp", "timestamp-rtt", "echo"] as const;
/** One of {@link PROBE_MODES}. */
export type ProbeMode = (typeof PROBE_MODES)[number];

/** One answer of a reflector. */
export interface Sample {
  readonly reflector: string;
  readonly mode: ProbeMode;
  /** When the probe left, s. */
  readonly sent: number;
  /** When the answer came, s. */
  readonly received: number;
  /** One-way delay, ms; includes the offset of the reflector's clock. Half of {@link rtt} when the mode knows no better. */
  readonly owd: Both<number>;
  /** Round trip, ms. */
  readonly rtt: number;
}

/** A sample, seen against the reflector's baselines. */
export interface Judged extends Sample {
  /** One-way delay over the baseline, ms, of this one answer: what the queues added. Never above what the round trip grew by. */
  readonly delta: Both<number>;
}

/** A probe that has not been answered yet. */
export interface Outstanding {
  readonly reflector: string;
  /** When it left, s. */
  readonly sent: number;
  /** The round trip without any queue, ms; undefined when the reflector has never answered. */
  readonly baseline?: number;
}

/** What bounds the rates of a direction, kbit/s. */
export interface Bounds {
  readonly min: number;
  /** What the line is taken for when nothing is known. */
  readonly base: number;
  /** Infinity when there is none. */
  readonly max: number;
}

/** Bounds of a direction that a link does not have: they keep nothing from being what it is. */
export const NO_BOUNDS: Bounds = { min: 0, base: 1, max: Number.POSITIVE_INFINITY };

/** What a controller is told of one direction. */
export interface DirectionInput {
  /** Delta of each reflector that answered lately (smoothed delay over baseline, ms), ascending. */
  readonly deltas: readonly number[];
  /** What the shaper is set to. */
  readonly rate: number;
  /** Bytes that went through since the target was made; counts on over a target made anew. */
  readonly bytes: number;
  /** Sent since the last tick, kbit/s. */
  readonly achieved: number;
  /** achieved / rate. */
  readonly load: number;
  readonly bounds: Bounds;
  /** Delta above which there is bloat, ms. */
  readonly threshold: number;
}

/** What a controller is told at a tick. */
export interface TickInput {
  /** s */
  readonly now: number;
  /** Since the last tick, s. */
  readonly elapsed: number;
  /** Counts up from 1. */
  readonly tick: number;
  readonly directions: Both<DirectionInput>;
  /** Answers since the last tick, in the order in which they came. */
  readonly samples: readonly Judged[];
  /** Probes under way, the oldest first. */
  readonly outstanding: readonly Outstanding[];
}

/** What was decided for one direction. */
export interface Verdict {
  /** Before rounding and bounds, kbit/s. */
  readonly rate: number;
  /** The branch taken: one word, the controller's own. */
  readonly branch: string;
  /** What kept it from going further, in a few words. */
  readonly blocked?: string;
  /** What it takes the line to carry, kbit/s. */
  readonly capacity?: number;
}

/** What a controller decided. */
export interface Decision extends Both<Verdict> {
  /** Other reflectors are wanted. */
  readonly reselect?: boolean;
}

/** What a controller is made for. */
export interface Setup {
  readonly bounds: Both<Bounds>;
  /** Rates it begins with, kbit/s. */
  readonly start: Both<number>;
  /** s */
  readonly now: number;
  readonly bytes: Both<number>;
  /** Expected between ticks, s. */
  readonly period: number;
}
