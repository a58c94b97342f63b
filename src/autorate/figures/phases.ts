/** The phases of a run: figures over all of it would say nothing of how a drop of the capacity is met. */
import type { Series } from "./series.ts";

/**
 * `idle`: without load. `start`: the first seconds of a load. `steady`: before the first change of the capacity. `drop`:
 * the first seconds after it fell. `low`: from there to the next change. `rise`: from a rise to the next change.
 */
export const PHASES = ["idle", "start", "steady", "drop", "low", "rise"] as const;
/** One of {@link PHASES}. */
export type PhaseName = (typeof PHASES)[number];

/** A stretch of time, s; `to` is no longer in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A stretch of a run. A run may have several of the same name. */
export interface Phase extends Span {
  readonly name: PhaseName;
}

/** What is done to the line. */
export interface Course {
  /** kbit/s, from each time on. */
  readonly capacity: Series;
  /** When somebody wants more than it carries, by time, without overlap. */
  readonly loads: readonly Span[];
  /** s */
  readonly end: number;
}

/** Length of `start`, s: TCP finds its rate, a controller leaves the rate it began with. */
const START = 5;
/** Length of `drop`, s. */
const DROP = 2;

/** The times at which the capacity changes inside a span, with where to. */
function changesIn({ at, value }: Series, { from, to }: Span): readonly { at: number; falls: boolean }[] {
  const changes: { at: number; falls: boolean }[] = [];
  for (let i = 1; i < at.length; i += 1) {
    const inside = at[i]! > from && at[i]! < to;
    if (inside && value[i] !== value[i - 1]) changes.push({ at: at[i]!, falls: value[i]! < value[i - 1]! });
  }
  return changes;
}

/** Cuts a run into its phases. */
export function phasesOf({ capacity, loads, end }: Course): readonly Phase[] {
  const phases: Phase[] = [];
  const add = (name: PhaseName, from: number, to: number): void => {
    if (to > from) phases.push({ name, from, to });
  };
  let idleSince = 0;
  for (const load of loads) {
    add("idle", idleSince, load.from);
    const changes = changesIn(capacity, load);
    const first = changes[0]?.at ?? load.to;
    add("start", load.from, Math.min(load.from + START, first));
    add("steady", load.from + START, first);
    changes.forEach((change, index) => {
      const next = changes[index + 1]?.at ?? load.to;
      if (change.falls) {
        add("drop", change.at, Math.min(change.at + DROP, next));
        add("low", change.at + DROP, next);
      } else add("rise", change.at, next);
    });
    idleSince = load.to;
  }
  add("idle", idleSince, end);
  return phases;
}
