/**
 * One direction of the controller `sluice`: a small machine with two states. `open` looks for more; when the queue of the
 * line shows, the capacity is estimated, the rate goes below it at once, and the machine is in `drain` until the queue is
 * gone, for what is measured meanwhile tells of the past. docs/autorate.md has it in words and formulas. Pure.
 */
import type { Direction } from "../../../core/both.ts";
import type { DirectionInput, Verdict } from "../../model.ts";
import { capacityBySlope, risingEdge, slopeOf } from "./capacity.ts";
import { type Evidence, keepPoints, type Point, weigh } from "./evidence.ts";
import { type Count, keepCounts, type Use, useBetween } from "./load.ts";
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

/** What is known of a direction. */
export interface Side {
  readonly points: readonly Point[];
  readonly counts: readonly Count[];
  /** What the line was last found to carry, kbit/s. */
  readonly capacity?: number;
  readonly drain?: Drain;
  /** Nothing is asked for more before this, s. */
  readonly holdUntil: number;
  readonly hold: number;
  /** Steps of growth since the last cut, below and beyond the capacity. */
  readonly steps: number;
  readonly beyond: number;
  /** Delay of the quiet line and how it varies, ms. */
  readonly quiet: number;
  readonly jitter: number;
  /** Since when there is delay though the load is low, s. */
  readonly lateSince?: number;
}

/** What else a direction is told. */
export interface Around {
  readonly direction: Direction;
  readonly now: number;
  /** The new points. */
  readonly fresh: readonly Point[];
  /** Delay of probes that are not back, when it can only be this direction's, ms. */
  readonly overdue: number | undefined;
}

/** At the start. */
export const newSide = (count: Count, options: SluiceOptions): Side => ({
  points: [],
  counts: [count],
  holdUntil: count.at,
  hold: options.holdFirst,
  steps: 0,
  beyond: 0,
  quiet: 1,
  jitter: 1,
});

/** A full packet on the wire, bits: what one takes to send is no queue. */
const PACKET_BITS = 8 * 1514;
/** What the load is judged by, s. */
const LOAD_WINDOW = 0.35;
/** What is delivered is judged by at least this, s. */
const DELIVERED_WINDOW = 0.2;
/** Delay at low load must last so long to be taken for the traffic's own, s. */
const CONFIRM = 1;
/** Below this load the shaper has no part in a delay, unless it lasts. */
const PART = 0.5;
/** Growing below and about the known capacity: so much more at each step. */
const STEP = 0.005;
/** Beyond it, where it was wrong: doubling, up to this. */
const BEYOND_FIRST = 0.02;
const BEYOND_MOST = 0.12;
/** The capacity is wrong when the rate is so far beyond it and nothing happens. */
const DISPROVED = 1.05;
/** Towards the known capacity, this share of the way at a tick. */
const APPROACH = 0.35;
/** Cuts that do not help before the delay is taken for somebody else's. */
const VAIN_MOST = 3;
/** Then it is left alone for so long, s. */
const FOREIGN_REST = 5;

interface Step {
  readonly side: Side;
  readonly verdict: Verdict;
}

/** All that a branch looks at. */
interface View {
  readonly options: SluiceOptions;
  readonly input: DirectionInput;
  readonly around: Around;
  readonly side: Side;
  readonly evidence: Evidence;
  readonly use: Use;
  /** ms */
  readonly threshold: number;
}

const verdictOf = (rate: number, branch: string, side: Side, blocked?: string): Verdict => ({
  rate,
  branch,
  ...(blocked !== undefined && { blocked }),
  ...(side.capacity !== undefined && { capacity: side.capacity }),
});

const stay = ({ input, side }: View, branch: string, blocked: string, changed: Partial<Side> = {}): Step => {
  const next = { ...side, ...changed };
  return { side: next, verdict: verdictOf(input.rate, branch, next, blocked) };
};

/** How low a delay must be for the queue to be gone, ms. */
const lowDelay = ({ side, threshold }: View): number => Math.max(threshold / 2, quietLimit(side, threshold));

/** Above this a delay is not the quiet line's any more, ms. */
const quietLimit = ({ quiet, jitter }: Side, threshold: number): number =>
  Math.min(threshold, quiet + Math.max(4, 3 * jitter));

/** The capacity at the moment when the queue shows. */
function estimate(view: View): number {
  const { around, side, input, use, threshold } = view;
  const { direction, now } = around;
  if (direction === "download") {
    const late = side.points.find(({ delta, received }) => delta > threshold && received > now - 1)?.received ?? now;
    const from = Math.min(late, now - DELIVERED_WINDOW);
    return useBetween(side.counts, from, now).achieved;
  }
  const slope = slopeOf(risingEdge(side.points, quietLimit(side, threshold)));
  if (slope && slope.value > 0.02)
    return capacityBySlope(useBetween(side.counts, slope.from, slope.to).achieved, slope.value);
  // A queue that is full grows no more: what is sent tells only what is too much.
  return use.load >= view.options.highLoad ? 0.8 * use.achieved : Math.min(use.achieved, input.rate);
}

/** The share of the capacity that drains so much delay in about the time that is set. */
const drainShare = (delay: number, { drainTime, drainFloor }: SluiceOptions): number =>
  Math.max(drainFloor, 1 - delay / 1000 / drainTime);

/** Goes below the capacity, and waits for the queue to go. */
function cut(view: View, capacity: number, branch: string, vain: number): Step {
  const { options, input, around, side, evidence } = view;
  const { now } = around;
  const delay = Math.max(evidence.newest ?? 0, evidence.delay ?? 0, around.overdue ?? 0);
  const share = drainShare(delay, options);
  const { min } = input.bounds;
  const bounded = Math.max(capacity, min);
  const same = side.capacity !== undefined && Math.abs(bounded / side.capacity - 1) < 0.1;
  const hold = same ? Math.min(side.hold * 1.5, options.holdMost) : options.holdFirst;
  const seconds = delay / 1000 / (1 - share * (1 - options.headroom)) + 0.3;
  const from = side.drain?.from ?? input.rate;
  const next: Side = {
    ...without(side, "lateSince"),
    capacity: bounded,
    hold,
    steps: 0,
    beyond: 0,
    drain: { since: now, until: now + seconds, delay, from, vain },
  };
  return { side: next, verdict: verdictOf(bounded * (1 - options.headroom) * share, branch, next) };
}

function without<K extends keyof Side>(side: Side, key: K): Omit<Side, K> {
  const { [key]: _, ...rest } = side;
  return rest;
}

/** The queue is gone: at the capacity again, with the room that is kept. */
function drained(view: View): Step {
  const { options, around, side } = view;
  const next: Side = { ...without(side, "drain"), holdUntil: around.now + side.hold };
  return { side: next, verdict: verdictOf(side.capacity! * (1 - options.headroom), "drained", next) };
}

/** The delay is none of ours: as before, and left alone for a while. */
function foreign(view: View, drain: Drain): Step {
  const { around, side } = view;
  const next: Side = { ...without(side, "drain"), holdUntil: around.now + FOREIGN_REST };
  const rate = Math.max(side.capacity ?? 0, 0.8 * drain.from);
  return { side: next, verdict: verdictOf(rate, "foreign", next, "cutting does not help: the queue is not ours") };
}

/** While the queue drains. */
function draining(view: View, drain: Drain): Step {
  const { around, side, evidence, use, input } = view;
  const { now, direction } = around;
  const after = side.points.filter(({ sent }) => sent >= drain.since);
  const newest = after.slice(-2);
  if (newest.length === 2 && newest.every(({ delta }) => delta <= lowDelay(view))) return drained(view);
  if (direction === "download") {
    // What comes through a queue that stands is the capacity, as long as it is not our own rate.
    const since = useBetween(side.counts, Math.max(drain.since, now - 0.4), now);
    const known = now - drain.since >= DELIVERED_WINDOW && since.load < 0.9 && evidence.late;
    if (known && since.achieved < 0.9 * side.capacity!) return cut(view, since.achieved, "cut again", drain.vain);
  } else {
    const slope = slopeOf(after);
    if (slope && slope.value > -0.1 && evidence.late) {
      const found = capacityBySlope(useBetween(side.counts, slope.from, slope.to).achieved, slope.value);
      if (found < 0.95 * side.capacity!) return cut(view, found, "cut again", drain.vain);
    }
  }
  if (now <= drain.until) return stay(view, "drain", "the queue drains");
  const delay = evidence.delay ?? evidence.newest;
  if (delay === undefined) return stay(view, "drain", "no reflector answers");
  if (delay < 0.7 * drain.delay && evidence.late) {
    // It goes, only slower than reckoned.
    return stay(view, "drain", "the queue drains slowly", {
      drain: { ...drain, since: now, delay, until: now + Math.max(0.5, delay / 500) },
    });
  }
  if (!evidence.late) return drained(view);
  if (drain.vain >= VAIN_MOST || input.rate <= input.bounds.min) return foreign(view, drain);
  return cut(view, 0.75 * Math.min(side.capacity!, use.achieved), "cut in vain", drain.vain + 1);
}

/** More, slowly about the known capacity and fast where it is disproved. */
function grow(view: View): Step {
  const { options, input, around, side } = view;
  if (around.now < side.holdUntil) return stay(view, "hold", "just found the capacity");
  const { capacity } = side;
  const { rate } = input;
  if (capacity !== undefined && rate < capacity * (1 - options.headroom)) {
    const more = Math.max(0.01 * rate, APPROACH * (capacity * (1 - options.headroom) - rate));
    return { side, verdict: verdictOf(rate + more, "approach", side) };
  }
  if (capacity !== undefined && rate <= DISPROVED * capacity) {
    const next = { ...side, steps: side.steps + 1 };
    return { side: next, verdict: verdictOf(rate * (1 + STEP * next.steps), "probe", next) };
  }
  const next = { ...side, beyond: side.beyond + 1 };
  const share = Math.min(BEYOND_MOST, BEYOND_FIRST * 2 ** side.beyond);
  return { side: next, verdict: verdictOf(rate * (1 + share), "grow", next) };
}

/** Nearer to base, from either side. */
function decay({ options, input, side }: View, elapsed: number): Step {
  const { rate, bounds } = input;
  const step = bounds.base * options.idleDecay * elapsed;
  const next = rate > bounds.base ? Math.max(bounds.base, rate - step) : Math.min(bounds.base, rate + step);
  if (next === rate) return stay({ options, input, side } as View, "idle", "at base");
  return { side, verdict: verdictOf(next, "idle", side) };
}

/** Looks for more, and for the queue. */
function opened(view: View, elapsed: number): Step {
  const { options, around, side, evidence, use, threshold } = view;
  const { now, overdue } = around;
  const loaded = use.load >= PART;
  if (overdue !== undefined && use.load >= options.highLoad) {
    const capacity = Math.min(side.capacity ?? use.achieved, use.achieved);
    return cut(view, capacity, "cut unheard", 0);
  }
  if (evidence.late) {
    if (now < side.holdUntil && side.hold === FOREIGN_REST) return stay(view, "foreign", "the queue is not ours");
    if (loaded) return cut(view, estimate(view), "cut", 0);
    if (use.achieved < options.activeRate) return stay(view, "hold", "delay without traffic");
    const lateSince = side.lateSince ?? now;
    if (now - lateSince >= CONFIRM) return cut(view, estimate(view), "cut", 0);
    return stay(view, "hold", "delay at low load, not for long", { lateSince });
  }
  const calm = without(side, "lateSince");
  const quieter = { ...view, side: calm };
  const { delay } = evidence;
  const high = use.load >= options.highLoad;
  const probing = side.steps + side.beyond > 0 && high;
  if (probing && delay !== undefined && delay > quietLimit(side, threshold))
    return cut(quieter, estimate(view), "met", 0);
  if (delay === undefined) return stay(quieter, "blind", "no reflector answers");
  if (high) return grow(quieter);
  if (use.achieved < options.activeRate) return decay(quieter, elapsed);
  return stay(quieter, "hold", "the load is low");
}

/** Learns what the quiet line is like, while nothing of ours can be in its delay. */
function learn(side: Side, delay: number | undefined, use: Use): Side {
  const alone = use.load < PART || (side.capacity !== undefined && use.allowed < 0.98 * side.capacity);
  if (delay === undefined || side.drain !== undefined || !alone) return side;
  const share = 0.05;
  const bounded = Math.min(delay, 50);
  const quiet = side.quiet + share * (bounded - side.quiet);
  return { ...side, quiet, jitter: side.jitter + share * (Math.abs(bounded - side.quiet) - side.jitter) };
}

/** One tick of a direction. */
export function stepSide(
  before: Side,
  input: DirectionInput,
  around: Around,
  elapsed: number,
  options: SluiceOptions,
): Step {
  const { now, fresh } = around;
  const counts = keepCounts(before.counts, { at: now, bytes: input.bytes, rate: input.rate });
  const points = keepPoints(before.points, fresh, now);
  const threshold = input.threshold + (1.5 * PACKET_BITS) / input.rate;
  const evidence = weigh(points, threshold, now);
  const use = useBetween(counts, now - LOAD_WINDOW, now);
  const known = { ...before, counts, points };
  const side = evidence.late ? known : learn(known, evidence.delay, use);
  const view: View = { options, input, around, side, evidence, use, threshold };
  return side.drain ? draining(view, side.drain) : opened(view, elapsed);
}
