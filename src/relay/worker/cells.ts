/** Where things are in the memory that a worker shares with its supervisor, each a number. Pure. */
import { COUNTERS, REASONS } from "../model.ts";

/** What the kernel says of a ring, summed over all that there were, in this order. */
export const RING_COUNTERS = [
  /** That matched, delivered or not. */
  "packets",
  /** Not delivered, for want of room. */
  "drops",
  /** How often the ring was full. */
  "freezes",
] as const;

/** One number for each of {@link RING_COUNTERS}. */
export type RingCounts = Readonly<Record<(typeof RING_COUNTERS)[number], number>>;

/** Positions, and how many numbers there are in all. */
export interface Cells {
  readonly reasons: number;
  /** Frames that the worker took from its rings. */
  readonly taken: number;
  readonly ring: number;
  /** Counts up about once a second for as long as the worker goes round its loop. */
  readonly beat: number;
  readonly length: number;
}

/** Those for so many slots, whose counters come first: `slot * COUNTERS.length + index`. */
export function cellsFor(slots: number): Cells {
  const reasons = slots * COUNTERS.length;
  const taken = reasons + REASONS.length;
  const ring = taken + 1;
  const beat = ring + RING_COUNTERS.length;
  return { reasons, taken, ring, beat, length: beat + 1 };
}
