/**
 * What the line carries, from what is sent and how the queue before it grows. Pure.
 *
 * A queue that is fed at a rate `a` and emptied at a capacity `C` grows, counted in the time that it takes to empty it, by
 * `d(delay)/dt = (a - C) / C` (fluid model of a FIFO; TIMELY, SIGCOMM 2015, and PCC Vivace, NSDI 2018, rest on the same
 * relation). So `C = a / (1 + slope)`, with a positive slope while the queue builds up and a negative one while it drains.
 * What leaves a queue that is never empty is the capacity itself: that is what the download side sees.
 */
import type { Point } from "./evidence.ts";

/** How fast a delay grows. */
export interface Slope {
  /** Seconds of delay per second. */
  readonly value: number;
  /** What it was seen over, s. */
  readonly from: number;
  readonly to: number;
}

const FEWEST = 3;
const SHORTEST = 0.09;

/** Least squares through points by when they were sent; undefined of too few or too short a time. */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const n = points.length;
  if (n < FEWEST) return undefined;
  const from = points[0]!.sent;
  let to = from;
  let [st, sd, stt, std] = [0, 0, 0, 0];
  for (const { sent, delta } of points) {
    const t = sent - from;
    const d = delta / 1000;
    to = Math.max(to, sent);
    st += t;
    sd += d;
    stt += t * t;
    std += t * d;
  }
  const spread = n * stt - st * st;
  if (to - from < SHORTEST || spread <= 0) return undefined;
  return { value: (n * std - st * sd) / spread, from, to };
}

/** Slopes beyond these are noise: a queue cannot drain faster than time passes. */
const LEAST_SLOPE = -0.9;
const MOST_SLOPE = 20;

/** The capacity, of what was sent (kbit/s) and the slope that it caused. */
export const capacityBySlope = (sent: number, slope: number): number =>
  sent / (1 + Math.min(Math.max(slope, LEAST_SLOPE), MOST_SLOPE));

/** So many points tell of now; those before may be of another slope. */
const EDGE = 5;

/** The rising edge: from the last point that was low to the newest, the last few of them. */
export function risingEdge(points: readonly Point[], low: number): readonly Point[] {
  const last = points.findLastIndex(({ delta }) => delta <= low);
  return points.slice(Math.max(0, last, points.length - EDGE));
}
