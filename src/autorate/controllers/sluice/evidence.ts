/** What the answers of the reflectors say of one direction's queue. Pure. */
import type { Direction } from "../../../core/both.ts";
import type { Judged, Outstanding } from "../../model.ts";

/** One look at the queue. */
export interface Point {
  readonly reflector: string;
  /** When the probe left and the answer came, s. */
  readonly sent: number;
  readonly received: number;
  /** What the queue added, ms. */
  readonly delta: number;
}

/** How long a point is kept, s. */
const KEPT = 1.5;
/** The latest answer of a reflector counts for this long, s. */
const FRESH = 0.8;
/** So many points in a row that are late are enough, when they come from so many reflectors. */
const RUN = 4;
const RUN_REFLECTORS = 3;
/** And fewer when each is later than the one before, the last by so many thresholds. */
const STEEP_RUN = 3;
const STEEP = 3;

/**
 * The point that a sample is for a direction. Half a round trip knows no direction: all of it is put down to this one
 * when the other carries little.
 */
export function pointOf(sample: Judged, direction: Direction, otherIdle: boolean): Point {
  const { reflector, sent, received, mode } = sample;
  const delta = sample.delta[direction] * (mode !== "timestamp" && otherIdle ? 2 : 1);
  return { reflector, sent, received, delta };
}

/** The points of before that still count, and the new ones. */
export const keepPoints = (points: readonly Point[], fresh: readonly Point[], now: number): readonly Point[] => {
  const first = points.findIndex(({ received }) => received >= now - KEPT);
  return first <= 0 ? [...(first === 0 ? points : []), ...fresh] : [...points.slice(first), ...fresh];
};

/** What they say now. */
export interface Evidence {
  /** The lower median of the latest delta of each reflector, ms; undefined when none answered lately. */
  readonly delay: number | undefined;
  /** The newest looks at the queue, the smaller of two, ms. */
  readonly newest: number | undefined;
  /** Late, by half of the reflectors or by the last few answers. */
  readonly late: boolean;
  /** The last few answers are each later than the one before, by far. */
  readonly steep: boolean;
}

/** Of two values that stand in the middle the lower: a reflector more that is slow by itself changes nothing. */
const lowerMedian = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const isRun = (points: readonly Point[], threshold: number, known: number): boolean =>
  points.every(({ delta }) => delta > threshold) &&
  new Set(points.map(({ reflector }) => reflector)).size >= Math.min(RUN_REFLECTORS, known);

const isSteep = (points: readonly Point[], threshold: number): boolean =>
  points.length === STEEP_RUN &&
  points.every(({ delta }, index) => index === 0 || delta > points[index - 1]!.delta) &&
  points.at(-1)!.delta > STEEP * threshold;

/** Weighs points against a threshold in ms. */
export function weigh(points: readonly Point[], threshold: number, now: number): Evidence {
  const latest = new Map<string, number>();
  for (const { reflector, received, delta } of points) if (received >= now - FRESH) latest.set(reflector, delta);
  const delay = lowerMedian([...latest.values()]);
  const last = points.slice(-RUN).filter(({ received }) => received >= now - FRESH);
  const run = last.length === RUN && isRun(last, threshold, latest.size);
  const steep = isRun(last.slice(-STEEP_RUN), threshold, latest.size) && isSteep(last.slice(-STEEP_RUN), threshold);
  const newest = last.slice(-2).map(({ delta }) => delta);
  return {
    delay,
    newest: newest.length === 0 ? undefined : Math.min(...newest),
    steep,
    late: run || steep || (delay !== undefined && delay > threshold),
  };
}

/**
 * What probes that are not back yet say: their delay is at least their age. Half of the reflectors must be waited for,
 * each longer than `longer` ms over its round trip. The delay in ms, undefined when there is nothing unusual.
 */
export function overdue(outstanding: readonly Outstanding[], longer: number, now: number): number | undefined {
  const oldest = new Map<string, number>();
  for (const { reflector, sent, baseline } of outstanding) {
    if (baseline === undefined) continue;
    const late = (now - sent) * 1000 - baseline;
    if (!oldest.has(reflector) || oldest.get(reflector)! < late) oldest.set(reflector, late);
  }
  const late = lowerMedian([...oldest.values()]);
  return late !== undefined && late > longer && oldest.size >= 2 ? late : undefined;
}
