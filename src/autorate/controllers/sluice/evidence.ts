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

/** The latest delta of each reflector that answered lately. */
function latestOf(points: readonly Point[], now: number): number[] {
  const seen: string[] = [];
  const latest: number[] = [];
  for (let i = points.length - 1; i >= 0 && points[i]!.received >= now - FRESH; i -= 1) {
    const { reflector, delta } = points[i]!;
    if (seen.includes(reflector)) continue;
    seen.push(reflector);
    latest.push(delta);
  }
  return latest;
}

/** Whether the last few points are all late, from several reflectors. */
function isRun(points: readonly Point[], length: number, threshold: number, now: number, known: number): boolean {
  if (points.length < length) return false;
  const reflectors: string[] = [];
  for (let i = points.length - length; i < points.length; i += 1) {
    const { reflector, delta, received } = points[i]!;
    if (delta <= threshold || received < now - FRESH) return false;
    if (!reflectors.includes(reflector)) reflectors.push(reflector);
  }
  return reflectors.length >= Math.min(RUN_REFLECTORS, length, known);
}

/** Whether each of the last few is later than the one before, the last by far. */
function isSteep(points: readonly Point[], length: number, threshold: number): boolean {
  for (let i = points.length - length + 1; i < points.length; i += 1)
    if (points[i]!.delta <= points[i - 1]!.delta) return false;
  return points.at(-1)!.delta > STEEP * threshold;
}

/**
 * Weighs points against a threshold in ms.
 *
 * @param pending delay that a probe of after the newest point has at least, for it is not back yet, ms
 */
export function weigh(points: readonly Point[], threshold: number, now: number, pending?: number): Evidence {
  const latest = latestOf(points, now);
  const delay = lowerMedian(latest);
  const run = isRun(points, RUN, threshold, now, latest.length);
  const last = points.at(-1);
  // The one that is waited for counts as the last of the run when it is later than the one before already.
  const length = last && pending !== undefined && pending > last.delta ? STEEP_RUN - 1 : STEEP_RUN;
  const steep = isRun(points, length, threshold, now, latest.length) && isSteep(points, length, threshold);
  const before = points.at(-2);
  const heard = last !== undefined && last.received >= now - FRESH;
  return {
    delay,
    newest: heard
      ? Math.min(last.delta, before && before.received >= now - FRESH ? before.delta : last.delta)
      : undefined,
    steep,
    late: run || steep || (delay !== undefined && delay > threshold),
  };
}

/** The delay that the first probe of after some time has at least, for it is not back yet, ms; undefined when there is none. */
export function pendingAfter(outstanding: readonly Outstanding[], sent: number, now: number): number | undefined {
  const next = outstanding.find((probe) => probe.sent > sent);
  return next?.baseline === undefined ? undefined : (now - next.sent) * 1000 - next.baseline;
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
