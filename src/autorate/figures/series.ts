/**
 * What was seen of one direction of a line in one run, in columns: a simulation makes thousands of runs with thousands of
 * entries each, and an object for every entry would cost more than the figures. Units as in ../model.ts.
 */
import type { Phase } from "./phases.ts";

/** Numbers in a row: an array, or a typed array cut to its length. */
export type Column = ArrayLike<number>;

/** Values over time. */
export interface Series {
  /** s, ascending. */
  readonly at: Column;
  /** As many as there are times. */
  readonly value: Column;
}

/** One run, one direction. */
export interface RunSeries {
  /** Probes of somebody who takes no part in the control, by the time at which they left: round trip, ms; NaN when lost. */
  readonly probes: Series;
  /** Round trip of the empty line, ms; what {@link probes} are counted from. */
  readonly idle: number;
  /** Carried on average, kbit/s, from the entry before until this one. Counted as {@link capacity} is. */
  readonly throughput: Series;
  /** What the shaper is set to from then on, kbit/s: an entry for each tick of the controller. Empty without a shaper. */
  readonly rates: Series;
  /** What the line can carry from then on, kbit/s. */
  readonly capacity: Series;
  /** The least rate that the controller may set, kbit/s. */
  readonly minimum: number;
  /** By time, without overlap; see phasesOf. */
  readonly phases: readonly Phase[];
}

/** The first entry at this time or later; the length when there is none. */
export function firstAt(at: Column, time: number): number {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Mean over a time of what holds from each entry until the next. NaN before the first entry and over no time. */
export function meanHeld({ at, value }: Series, from: number, to: number): number {
  let sum = 0;
  let seconds = 0;
  for (let i = Math.max(0, firstAt(at, from) - 1); i < at.length && at[i]! < to; i += 1) {
    const begin = Math.max(from, at[i]!);
    const end = i + 1 < at.length ? Math.min(to, at[i + 1]!) : to;
    if (end <= begin) continue;
    sum += value[i]! * (end - begin);
    seconds += end - begin;
  }
  return sum / seconds;
}

/** Mean over a time of averages, each over the time since the entry before. NaN over no time, and where nothing was seen. */
export function meanOfAverages({ at, value }: Series, from: number, to: number): number {
  let sum = 0;
  let seconds = 0;
  // The first average is over a time that nobody tells, so it counts from its end only.
  for (let i = Math.max(1, firstAt(at, from)); i < at.length; i += 1) {
    const before = at[i - 1]!;
    if (before >= to) break;
    const share = Math.min(to, at[i]!) - Math.max(from, before);
    if (share <= 0) continue;
    sum += value[i]! * share;
    seconds += share;
  }
  return sum / seconds;
}
