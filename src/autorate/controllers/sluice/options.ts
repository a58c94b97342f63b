/** What the controller `sluice` can be told, and what it does when it is told nothing. */

/** Options of the controller. Rates in kbit/s, delays in ms, times in s, the rest are shares. */
export interface SluiceOptions {
  /** Kept free below the capacity, so that the queue stays where packets are sorted. */
  readonly headroom: number;
  /** Loaded above this share of the rate, the shaper is what limits the traffic. */
  readonly highLoad: number;
  /** Traffic below this is none. */
  readonly activeRate: number;
  /** A queue is drained in about this time, s: the shorter, the deeper the cut. */
  readonly drainTime: number;
  /** But never below this share of the capacity. */
  readonly drainFloor: number;
  /** After the capacity was found nothing more is asked for, s: at first, and when it keeps being the same. */
  readonly holdFirst: number;
  readonly holdMost: number;
  /** How far beyond the known capacity is looked, as a share of it, before it is known to be wrong. */
  readonly excess: number;
  /** Going back to base without traffic, share of base per second. */
  readonly idleDecay: number;
}

/** The defaults; docs/autorate.md says how they were chosen. */
export const SLUICE_DEFAULTS: SluiceOptions = {
  headroom: 0.03,
  highLoad: 0.8,
  activeRate: 500,
  drainTime: 0.25,
  drainFloor: 0.4,
  holdFirst: 0.3,
  holdMost: 0.5,
  excess: 0.06,
  idleDecay: 0.01,
};
