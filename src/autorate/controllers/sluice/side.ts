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

/** A capacity that was found. */
export interface Found {
  /** s */
  readonly at: number;
  /** kbit/s */
  readonly capacity: number;
}

/** What is known of a direction. */
export interface Side {
  readonly points: readonly Point[];
  readonly counts: readonly Count[];
  /** What the line was last found to carry, kbit/s. */
  readonly capacity?: number;
  /** What it was found to carry before that, the latest last. */
  readonly past: readonly Found[];
  readonly drain?: Drain;
  /** Nothing is asked for more before this, s. */
  readonly holdUntil: number;
  readonly hold: number;
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
  past: [],
  holdUntil: count.at,
  hold: options.holdFirst,
  steps: 0,
  beyond: 0,
  expected: 0,
  probing: count.at,
  quiet: 1,
  jitter: 1,
});

/** A full packet on the wire, bits: what one takes to send is no queue. */
const PACKET_BITS = 8 * 1514;
/** What the load is judged by, s. */
const LOAD_WINDOW = 0.35;
/** What is delivered is judged by at least this, s. */
const DELIVERED_WINDOW = 0.1;
/** Delay at low load must last so long to be taken for the traffic's own, s. */
const CONFIRM = 1;
/** Below this load the shaper has no part in a delay, unless it lasts. */
const PART = 0.5;
/** Growing below and about the known capacity: so much more at each step. */
const STEP = 0.01;
/** Beyond it, where it was wrong: so much at first, and so many times more at each step, up to the last. */
const BEYOND_FIRST = 0.03;
const BEYOND_FACTOR = 1.5;
const BEYOND_MOST = 0.15;
/** The capacity is wrong when so much queue ought to be there, s, and is not. */
const DISPROVED = 0.03;
/** Answers tell of the queue so much later, s. */
const LAG = 0.15;
/** The traffic follows a rate that grows when it uses so much of it. */
const FOLLOWS = 0.92;
/** Towards the known capacity, this share of the way at a tick. */
const APPROACH = 0.5;
/** Answers of after the cut are waited for so much longer, s. */
const UNHEARD = 2;
/** A queue grows beyond doubt above this, s per s. */
const GROWS = 0.3;
/** Of a queue of less than so many thresholds the slope is mostly noise. */
const CLEAR = 2;
/** So many answers over so long (s) tell how a queue drains. */
const DRAIN_POINTS = 3;
const DRAIN_SPAN = 0.09;
/** It is cut for again when the capacity turns out to be less than this share of what it was taken for. */
const RECUT = 0.97;
/** A capacity that was found is remembered for so long, s. */
const REMEMBERED = 60;
/** A queue is not reckoned to have grown by more than this unseen, ms. */
const MOST_GROWN = 1000;
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
  /** Since the last tick, s. */
  readonly elapsed: number;
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
  Math.min(threshold, quiet + Math.max(4, 4 * jitter));

/** The points that tell how fast the queue grows: from the last that was low; of a small queue, since the rate is beyond. */
function edgeOf({ side, around, threshold }: View): readonly Point[] {
  const beyond = side.steps > 0 && side.beyond === 0 && side.probing < around.now - LAG;
  const small = (side.points.at(-1)?.delta ?? 0) < 2 * threshold;
  if (beyond && small) return side.points.filter(({ sent }) => sent >= side.probing);
  return risingEdge(side.points, quietLimit(side, threshold));
}

/** The capacity at the moment when the queue shows. */
function estimate(view: View): number {
  const { around, side, input, use, evidence } = view;
  const { direction, now } = around;
  const last = useBetween(side.counts, now - DELIVERED_WINDOW, now);
  // Not our rate limits what is sent: the queue hands it on, or those who send wait for its answers. It is the capacity.
  if (last.load < FOLLOWS) return last.achieved;
  const slope = slopeOf(edgeOf(view));
  if (direction === "download") return capacityBySlope(last.achieved, Math.max(0, slope?.value ?? 0));
  if (slope && slope.value > 0.02)
    return capacityBySlope(useBetween(side.counts, slope.from, slope.to).achieved, slope.value);
  // A queue that is full grows no more: what is sent tells only what is too much.
  const full = evidence.late && use.load >= view.options.highLoad;
  return full ? 0.8 * use.achieved : Math.min(use.achieved, input.rate);
}

/** The share of the capacity that drains so much delay in about the time that is set. */
const drainShare = (delay: number, { drainTime, drainFloor }: SluiceOptions): number =>
  Math.max(drainFloor, 1 - delay / 1000 / drainTime);

/** The delay that a probe sent now would meet, ms: the newest answer, and what the queue grew by since it was asked for. */
function queueNow({ side, around, threshold }: View): number {
  const newest = side.points.at(-1);
  if (!newest) return 0;
  const slope = slopeOf(risingEdge(side.points, quietLimit(side, threshold)));
  const grown = slope ? Math.max(0, slope.value) * (around.now - newest.sent) * 1000 : 0;
  return Math.max(0, newest.delta + Math.min(grown, MOST_GROWN));
}

/** Goes below the capacity, and waits for the queue to go. */
function cut(view: View, capacity: number, branch: string, vain: number): Step {
  const { options, input, around, side, evidence } = view;
  const { now } = around;
  const delay = Math.max(queueNow(view), evidence.newest ?? 0, around.overdue ?? 0);
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
    expected: 0,
    drain: { since: now, until: now + seconds, delay, from, vain },
  };
  return { side: next, verdict: verdictOf(bounded * (1 - options.headroom) * share, branch, next) };
}

/** Capacities that let the queue drain may hold again. */
function remember({ past, capacity }: Side, now: number): readonly Found[] {
  if (capacity === undefined) return past;
  const other = past.filter((found) => found.at > now - REMEMBERED && Math.abs(found.capacity / capacity - 1) > 0.1);
  return [...other, { at: now, capacity }];
}

function without<K extends keyof Side>(side: Side, key: K): Omit<Side, K> {
  const { [key]: _, ...rest } = side;
  return rest;
}

/** The queue is gone: at the capacity again, with the room that is kept. */
function drained(view: View): Step {
  const { options, around, side } = view;
  const past = remember(side, around.now);
  const next: Side = { ...without(side, "drain"), past, holdUntil: around.now + side.hold };
  return { side: next, verdict: verdictOf(side.capacity! * (1 - options.headroom), "drained", next) };
}

/** The delay is none of ours: as before, and left alone for a while. */
function foreign(view: View, drain: Drain): Step {
  const { around, side } = view;
  const next: Side = { ...without(side, "drain"), holdUntil: around.now + FOREIGN_REST };
  const rate = Math.max(side.capacity ?? 0, 0.8 * drain.from);
  return { side: next, verdict: verdictOf(rate, "foreign", next, "cutting does not help: the queue is not ours") };
}

/** The capacity as the draining queue shows it; undefined while too little is seen of it. */
function capacityWhile(view: View, drain: Drain): { capacity: number; growing: boolean } | undefined {
  const { side, threshold, around, evidence } = view;
  const { points } = side;
  const newest = points.at(-1);
  if (!newest || around.fresh.length === 0 || newest.delta < CLEAR * threshold) return undefined;
  // A queue that still grows tells of the rate at which it was fed then: before the cut, or since the line fell again.
  const growing = newest.sent < drain.since || evidence.steep;
  // The top of it tells nothing: there one rate goes over into the other.
  if (growing && newest.delta < (points.at(-2)?.delta ?? 0)) return undefined;
  const standing = growing
    ? risingEdge(points, quietLimit(side, threshold))
    : points.filter(({ sent, delta }) => sent >= drain.since && delta > lowDelay(view));
  const slope = growing || standing.length >= DRAIN_POINTS ? slopeOf(standing) : undefined;
  if (!slope || (growing ? slope.value < GROWS : slope.to - slope.from < DRAIN_SPAN)) return undefined;
  const capacity = capacityBySlope(useBetween(side.counts, slope.from, slope.to).achieved, slope.value);
  return { capacity, growing };
}

/** While the queue drains. */
function draining(view: View, drain: Drain): Step {
  const { around, side, evidence, input } = view;
  const { now, direction } = around;
  const after = side.points.filter(({ sent }) => sent >= drain.since);
  const newest = after.slice(-2);
  if (newest.length === 2 && newest.every(({ delta }) => delta <= lowDelay(view))) return drained(view);
  const through = useBetween(side.counts, now - DELIVERED_WINDOW, now);
  // What comes through a queue that stands is the capacity, when it is less than our own rate lets through.
  if (direction === "download" && evidence.late && through.load < FOLLOWS && now - drain.since >= DELIVERED_WINDOW)
    if (through.achieved < RECUT * side.capacity!) return cut(view, through.achieved, "cut again", drain.vain);
  const found = capacityWhile(view, drain);
  if (found && evidence.late && found.capacity < RECUT * side.capacity!)
    return cut(view, found.capacity, "cut again", drain.vain);
  // Upload is sent by our own rate, so what was taken for less than it is shows, too.
  if (found && !found.growing && direction === "upload" && found.capacity > side.capacity! / RECUT)
    return stay(view, "drain", "the queue drains", { capacity: Math.min(found.capacity, drain.from) });
  const seen = Math.max(drain.delay, evidence.newest ?? 0);
  // Until answers to probes come that left after the cut, what they say is of before.
  if (now <= drain.until || (after.length < 2 && now <= drain.until + UNHEARD))
    return stay(view, "drain", "the queue drains", { drain: { ...drain, delay: seen } });
  const delay = evidence.newest ?? evidence.delay;
  if (delay === undefined) return stay(view, "drain", "no reflector answers");
  if (delay < 0.7 * drain.delay && evidence.late) {
    // It goes, only slower than reckoned.
    const until = now + Math.max(0.3, delay / 500);
    return stay(view, "drain", "the queue drains slowly", { drain: { ...drain, since: now, delay, until } });
  }
  if (!evidence.late) return drained(view);
  if (drain.vain >= VAIN_MOST || input.rate <= input.bounds.min) return foreign(view, drain);
  return cut(view, 0.85 * side.capacity!, "cut in vain", drain.vain + 1);
}

/** More, slowly about the known capacity and fast where it is disproved. */
function grow(view: View): Step {
  const { options, input, around, side } = view;
  const { now } = around;
  if (now < side.holdUntil) return stay(view, "hold", "just found the capacity");
  const { capacity } = side;
  const { rate } = input;
  const start = capacity === undefined ? 0 : capacity * (1 - options.headroom);
  // Rates are whole numbers of kbit/s.
  if (rate < Math.min(0.999 * start, start - 1)) {
    const next = rate + Math.max(0.01 * rate, APPROACH * (start - rate));
    return { side, verdict: verdictOf(Math.min(next, start), "approach", side) };
  }
  if (capacity !== undefined && side.expected < DISPROVED) {
    const steps = side.steps + 1;
    const wanted = Math.min(rate * (1 + STEP * steps), capacity * (1 + options.excess));
    // The lag of the answers is waited for before the missing queue is taken for a proof.
    const queued = now - LAG > side.probing ? Math.max(0, rate / capacity - 1) * view.elapsed : 0;
    const next = {
      ...side,
      steps,
      probing: rate > capacity ? Math.min(side.probing, now) : now,
      expected: side.expected + queued,
    };
    return { side: next, verdict: verdictOf(Math.max(wanted, rate), "probe", next) };
  }
  const last = useBetween(side.counts, now - LAG, now);
  if (last.load < FOLLOWS) return stay(view, "hold", "the traffic does not follow");
  const share = Math.min(BEYOND_MOST, BEYOND_FIRST * BEYOND_FACTOR ** side.beyond);
  const wanted = rate * (1 + share);
  // A capacity that held before may be the one again: it is gone about as carefully as any that is known.
  const ceilings = side.past.map((found) => found.capacity).filter((known) => known > rate && known <= wanted);
  if (ceilings.length > 0) {
    const known = Math.min(...ceilings);
    const next = { ...side, capacity: known, steps: 0, beyond: 0, expected: 0 };
    return { side: next, verdict: verdictOf(Math.max(rate, known * (1 - options.headroom)), "remembered", next) };
  }
  const next = { ...side, beyond: side.beyond + 1 };
  return { side: next, verdict: verdictOf(wanted, "grow", next) };
}

/** Nearer to base, from either side. */
function decay(view: View): Step {
  const { options, input, side, elapsed } = view;
  const { rate, bounds } = input;
  const step = bounds.base * options.idleDecay * elapsed;
  const next = rate > bounds.base ? Math.max(bounds.base, rate - step) : Math.min(bounds.base, rate + step);
  if (next === rate) return stay(view, "idle", "at base");
  return { side, verdict: verdictOf(next, "idle", side) };
}

/** Nothing is heard: what was found last holds, and nothing beyond it. */
function blind(view: View): Step {
  const { options, input, side } = view;
  const known = (side.capacity ?? Number.POSITIVE_INFINITY) * (1 - 2 * options.headroom);
  const rate = Math.min(input.rate, known);
  return { side, verdict: verdictOf(rate, "blind", side, "no reflector answers") };
}

/** Looks for more, and for the queue. */
function opened(view: View): Step {
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
  if (delay === undefined) return blind(quieter);
  if (high) return grow(quieter);
  if (use.achieved < options.activeRate) return decay(quieter);
  return stay(quieter, "hold", "the load is low");
}

/** Learns what the quiet line is like, while nothing of ours can be in its delay. */
function learn(side: Side, delay: number | undefined, use: Use): Side {
  const alone = use.load < PART || (side.capacity !== undefined && use.allowed < 0.98 * side.capacity);
  if (delay === undefined || side.drain !== undefined || !alone) return side;
  const bounded = Math.min(delay, 50);
  // Quicker to believe that it is less than that it is more: a queue that stands is no quiet line.
  const share = bounded < side.quiet ? 0.1 : 0.03;
  const quiet = side.quiet + share * (bounded - side.quiet);
  return { ...side, quiet, jitter: side.jitter + 0.05 * (Math.abs(bounded - side.quiet) - side.jitter) };
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
  const view: View = { options, input, around, side, evidence, use, threshold, elapsed };
  return side.drain ? draining(view, side.drain) : opened(view);
}
