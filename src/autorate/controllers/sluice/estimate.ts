/** The capacity and the queue, as far as they show at the moment. Pure. */
import { capacityBySlope, risingEdge, slopeOf } from "./capacity.ts";
import type { Point } from "./evidence.ts";
import { useBetween } from "./load.ts";
import type { Drain } from "./side.ts";
import { FOLLOWS, JUST_NOW, LAG, lowDelay, quietLimit, type View } from "./view.ts";

/** A queue grows beyond doubt above this, s per s. */
const GROWS = 0.3;
/** Of a queue of less than so many thresholds the slope is mostly noise. */
const CLEAR = 2;
/** So many answers over so long (s) tell how a queue drains. */
const DRAIN_POINTS = 3;
const DRAIN_SPAN = 0.09;
/** A queue stands as it is below this, s per s. */
const STANDS = 0.1;
/** A slope below this is none. */
const FLAT = 0.02;
/** Of a queue that is full and grows no more it is known only that there is too much: this share of it is tried. */
const FULL = 0.8;
/** A queue is not reckoned to have grown by more than this unseen, ms. */
const MOST_GROWN = 1000;

/** The points that tell how fast the queue grows: from the last that was low; of a small queue, since the rate is beyond. */
function edgeOf(view: View): readonly Point[] {
  const { side, around, threshold } = view;
  const beyond = side.steps > 0 && side.beyond === 0 && side.probing < around.now - LAG;
  const small = (side.points.at(-1)?.delta ?? 0) < 2 * threshold;
  if (beyond && small) return side.points.filter(({ sent }) => sent >= side.probing);
  return risingEdge(side.points, quietLimit(view));
}

/** The capacity at the moment when the queue shows, kbit/s. */
export function capacityNow(view: View): number {
  const { around, side, input, use, evidence } = view;
  const { direction, now } = around;
  const last = useBetween(side.counts, now - JUST_NOW, now);
  // Not our rate limits what is sent: the queue hands it on, or those who send wait for its answers. It is the capacity.
  if (last.load < FOLLOWS) return last.achieved;
  const slope = slopeOf(edgeOf(view));
  if (direction === "download") return capacityBySlope(last.achieved, Math.max(0, slope?.value ?? 0));
  if (slope && slope.value > FLAT)
    return capacityBySlope(useBetween(side.counts, slope.from, slope.to).achieved, slope.value);
  const full = evidence.late && use.load >= view.options.highLoad;
  return full ? FULL * use.achieved : Math.min(use.achieved, input.rate);
}

/** The delay that a probe sent now would meet, ms: the newest answer, and what the queue grew by since it was asked for. */
export function delayNow(view: View): number {
  const { side, around } = view;
  const newest = side.points.at(-1);
  if (!newest) return 0;
  const slope = slopeOf(risingEdge(side.points, quietLimit(view)));
  const grown = slope ? Math.max(0, slope.value) * (around.now - newest.sent) * 1000 : 0;
  return Math.max(0, newest.delta + Math.min(grown, MOST_GROWN));
}

/** A capacity that a draining queue showed. */
export interface Shown {
  /** kbit/s */
  readonly capacity: number;
  /** It grew still: by what was sent before. */
  readonly growing: boolean;
  /** It neither grew nor went. */
  readonly standing: boolean;
}

/** The capacity as the draining queue shows it; undefined while too little is seen of it. */
export function capacityShown(view: View, drain: Drain): Shown | undefined {
  const { side, threshold, around, evidence } = view;
  const newest = side.points.at(-1);
  if (!newest || around.fresh.length === 0 || newest.delta < CLEAR * threshold) return undefined;
  // Answers to probes of before the cut tell how the queue went on growing until then; those of after it how it drains,
  // or that the line fell again. Of both together nothing can be told: they were sent at two rates.
  const before = newest.sent < drain.since;
  const points = before ? side.points : side.points.filter(({ sent }) => sent >= drain.since);
  const growing = before || evidence.steep;
  if (growing && newest.delta < (points.at(-2)?.delta ?? 0)) return undefined;
  const low = lowDelay(view);
  const standing = growing ? risingEdge(points, quietLimit(view)) : points.filter(({ delta }) => delta > low);
  if (standing.length < DRAIN_POINTS) return undefined;
  const slope = slopeOf(standing);
  if (!slope || (growing ? slope.value < GROWS : slope.to - slope.from < DRAIN_SPAN)) return undefined;
  const { achieved } = useBetween(side.counts, slope.from, slope.to);
  const stands = Math.abs(slope.value) < STANDS;
  return { capacity: capacityBySlope(achieved, slope.value), growing, standing: stands };
}
