/** What the controller `sluice` knows of one direction. Plain data, never changed in place. */
import type { Point } from "./evidence.ts";
import type { Count } from "./load.ts";
import type { SluiceOptions } from "./options.ts";

/** A queue being drained. */
export interface Drain {
  /** When the rate was cut, s. */
  readonly since: number;
  /** By when the queue ought to be gone, s. */
  readonly until: number;
  /** The delay at the cut, ms. */
  readonly delay: number;
  /** The rate before the first of the cuts, kbit/s. */
  readonly from: number;
  /** Cuts so far that did not help. */
  readonly vain: number;
}

/** A capacity that was found. */
export interface Found {
  /** s */
  readonly at: number;
  /** kbit/s */
  readonly capacity: number;
}

/** A direction. */
export interface Side {
  readonly points: readonly Point[];
  readonly counts: readonly Count[];
  /** What the line was last found to carry, kbit/s. */
  readonly capacity: number | undefined;
  /** What it was found to carry before that, the latest last. */
  readonly past: readonly Found[];
  readonly drain: Drain | undefined;
  /** Nothing is asked for more before this, s. */
  readonly holdUntil: number;
  readonly hold: number;
  /** When the capacity last fell by much, s. */
  readonly fell: number;
  /** Until then a delay is somebody else's, s. */
  readonly foreignUntil: number;
  /** Steps of growth since the last cut, below and beyond the capacity. */
  readonly steps: number;
  readonly beyond: number;
  /** The queue that there would be by now if the capacity were what it is taken for, s. */
  readonly expected: number;
  /** Since when the rate is beyond the capacity, s. */
  readonly probing: number;
  /** Delay of the quiet line and how it varies, ms. */
  readonly quiet: number;
  readonly jitter: number;
  /** When it last went towards base for want of traffic, s. */
  readonly decayed: number;
  /** Since when there is delay though the load is low, s. */
  readonly lateSince: number | undefined;
}

/** At the start. */
export const newSide = (count: Count, options: SluiceOptions): Side => ({
  points: [],
  counts: [count],
  capacity: undefined,
  past: [],
  drain: undefined,
  holdUntil: count.at,
  hold: options.holdFirst,
  fell: Number.NEGATIVE_INFINITY,
  foreignUntil: count.at,
  steps: 0,
  beyond: 0,
  expected: 0,
  probing: count.at,
  quiet: 1,
  jitter: 1,
  decayed: count.at,
  lateSince: undefined,
});
