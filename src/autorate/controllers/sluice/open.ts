/** No queue: looks for more, and for the queue. Pure. */
import { cut } from "./drain.ts";
import { capacityNow } from "./estimate.ts";
import { useBetween } from "./load.ts";
import type { Side } from "./side.ts";
import { decide, FOLLOWS, LAG, quietLimit, stay, type Step, type View } from "./view.ts";

/** Delay at low load must last so long to be taken for the traffic's own, s. */
const CONFIRM = 1;
/** Below this load the shaper has no part in a delay, unless it lasts. */
export const PART = 0.5;
/** Which is judged by what was sent up to so long ago, s. */
const BEFORE = 1.2;
/** Growing below and about the known capacity: so much more at each step. */
const STEP = 0.01;
/** Beyond it, where it was wrong: so much at first, and so many times more at each step, up to the last. */
const BEYOND_FIRST = 0.025;
const BEYOND_FACTOR = 1.7;
const BEYOND_MOST = 0.15;
/** The capacity is wrong when so much queue ought to be there, s, and is not. */
const DISPROVED = 0.026;
/** After a fall nothing grows fast for so long, s. */
const CAREFUL = 3.2;
/** Of the threshold: so much delay ends growth beyond the known capacity. */
const SOON = 0.6;
/** Towards the known capacity, this share of the way at a tick, and at least this share of the rate. */
const APPROACH = 0.5;
const APPROACH_LEAST = 0.01;

/** Beyond the known capacity, to see whether a queue comes. */
function probe(view: View, capacity: number): Step {
  const { options, input, around, side } = view;
  const { rate } = input;
  const steps = side.steps + 1;
  const wanted = Math.min(rate * (1 + STEP * steps), capacity * (1 + options.excess));
  // The lag of the answers is waited for before the missing queue is taken for a proof.
  const queued = around.now - LAG > side.probing ? Math.max(0, rate / capacity - 1) * around.elapsed : 0;
  const probing = rate > capacity ? Math.min(side.probing, around.now) : around.now;
  return decide({ ...side, steps, probing, expected: side.expected + queued }, Math.max(wanted, rate), "probe");
}

/** Where the capacity was wrong, or nothing is known of it: fast, and faster. */
function advance(view: View): Step {
  const { options, input, around, side } = view;
  const { rate } = input;
  if (useBetween(side.counts, around.now - LAG, around.now).load < FOLLOWS)
    return stay(view, "hold", "the traffic does not follow");
  const share = Math.min(BEYOND_MOST, BEYOND_FIRST * BEYOND_FACTOR ** side.beyond);
  const wanted = rate * (1 + share);
  // A capacity that held before may be the one again: it is gone about as carefully as any that is known.
  let known = Number.POSITIVE_INFINITY;
  for (const { capacity } of side.past) if (capacity > rate && capacity <= wanted) known = Math.min(known, capacity);
  if (known === Number.POSITIVE_INFINITY) return decide({ ...side, beyond: side.beyond + 1 }, wanted, "grow");
  const next: Side = { ...side, capacity: known, steps: 0, beyond: 0, expected: 0 };
  return decide(next, Math.max(rate, known * (1 - options.headroom)), "remembered");
}

/** More, slowly about the known capacity and fast where it is disproved. */
function grow(view: View): Step {
  const { options, input, around, side } = view;
  if (around.now < side.holdUntil) return stay(view, "hold", "just found the capacity");
  const { capacity } = side;
  const { rate } = input;
  if (capacity === undefined) return advance(view);
  const start = capacity * (1 - options.headroom);
  // Rates are whole numbers of kbit/s.
  if (rate < Math.min(0.999 * start, start - 1)) {
    const next = rate + Math.max(APPROACH_LEAST * rate, APPROACH * (start - rate));
    return decide(side, Math.min(next, start), "approach");
  }
  if (side.expected < DISPROVED) return probe(view, capacity);
  // Just after a fall the capacity is known from a moment only: what is carried without a queue is believed step by step.
  if (around.now - side.fell < CAREFUL)
    return decide({ ...side, capacity: Math.max(rate, capacity), steps: 0, expected: 0 }, rate, "raised");
  return advance(view);
}

/** Nearer to base, from either side, a step each second: nobody is in a hurry. */
function decay(view: View): Step {
  const { options, input, side, around } = view;
  const { rate, bounds } = input;
  if (rate === bounds.base) return stay(view, "idle", "at base");
  if (around.now - side.decayed < 1) return stay(view, "idle", "on the way to base");
  const step = bounds.base * options.idleDecay;
  const wanted = rate > bounds.base ? Math.max(bounds.base, rate - step) : Math.min(bounds.base, rate + step);
  return decide({ ...side, decayed: around.now }, wanted, "idle");
}

/** Nothing is heard: what was found last holds, and nothing beyond it. */
function blind({ options, input, side }: View): Step {
  const { capacity } = side;
  const known = capacity === undefined ? input.rate : capacity * (1 - 2 * options.headroom);
  return decide(side, Math.min(input.rate, known), "blind", "no reflector answers");
}

/** The answers are late: is it our traffic? */
function late(view: View): Step {
  const { options, around, side, use } = view;
  const { now } = around;
  if (now < side.foreignUntil) return stay(view, "foreign", "the queue is not ours");
  // A line that fell by much leaves the traffic little: what counts is whether it was loaded when that happened.
  const before = useBetween(side.counts, now - BEFORE, now - BEFORE / 2).load;
  if (Math.max(use.load, before) >= PART) return cut(view, capacityNow(view), "cut", 0);
  if (use.achieved < options.activeRate) return stay(view, "hold", "delay without traffic");
  const lateSince = side.lateSince ?? now;
  if (now - lateSince >= CONFIRM) return cut(view, capacityNow(view), "cut", 0);
  return stay(view, "hold", "delay at low load, not for long", { lateSince });
}

/** One tick without a queue that is known. */
export function opened(view: View): Step {
  const { options, around, evidence, use } = view;
  const high = use.load >= options.highLoad;
  if (around.overdue !== undefined && high)
    return cut(view, Math.min(view.side.capacity ?? use.achieved, use.achieved), "cut unheard", 0);
  if (evidence.late) return late(view);
  const side = view.side.lateSince === undefined ? view.side : { ...view.side, lateSince: undefined };
  const calm = side === view.side ? view : { ...view, side };
  const { delay } = evidence;
  const looking = side.steps + side.beyond > 0 && high;
  if (looking && delay !== undefined && delay > quietLimit(view)) return cut(calm, capacityNow(view), "met", 0);
  // Where it grows fast, two answers are enough.
  if (side.beyond > 0 && high && (evidence.newest ?? 0) > SOON * view.threshold)
    return cut(calm, capacityNow(view), "met", 0);
  if (!high && use.achieved < options.activeRate) return decay(calm);
  if (delay === undefined) return blind(calm);
  return high ? grow(calm) : stay(calm, "hold", "the load is low");
}
