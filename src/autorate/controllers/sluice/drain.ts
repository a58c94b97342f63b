/** The queue shows: below the capacity at once, and no new judgement until it is gone. Pure. */
import { capacityShown, delayNow } from "./estimate.ts";
import { useBetween } from "./load.ts";
import type { SluiceOptions } from "./options.ts";
import type { Drain, Found, Side } from "./side.ts";
import { decide, FOLLOWS, JUST_NOW, lowDelay, stay, type Step, type View } from "./view.ts";

/** It is cut for again when the capacity turns out to be less than this share of what it was taken for. */
const RECUT = 0.97;
/** Cuts that do not help before the delay is taken for somebody else's, and how much each takes off. */
const VAIN_MOST = 3;
const VAIN_SHARE = 0.85;
/** The same of cuts that leave a queue just as it was: each is by more than half. */
const STANDING_MOST = 2;
/** A cut helped when the delay is below this share of what it was. */
const HELPED = 0.7;
/** Then it is left alone for so long, s. */
const FOREIGN_REST = 10;
/** Answers of after the cut are waited for so much longer than the queue ought to take, s. */
const UNHEARD = 2;
/** Beyond what the queue takes to go, s. */
const GRACE = 0.3;
/** Capacities that differ by less are the same. */
const SAME = 0.1;
/** Each time that the capacity is the same, the rest is so many times longer. */
const LONGER = 1.5;
/** A line that carries less than this share of what it did has fallen. */
const FALL = 0.8;
/** A capacity that was found is remembered for so long, s. */
const REMEMBERED = 60;
/** At the minimum, what else may be done is asked this often, s. */
const AT_MINIMUM = 0.5;

/** The share of the capacity that drains so much delay in about the time that is set. */
const drainShare = (delay: number, { drainTime, drainFloor }: SluiceOptions): number =>
  Math.max(drainFloor, 1 - delay / 1000 / drainTime);

/** Goes below the capacity (kbit/s), and waits for the queue to go. */
export function cut(view: View, capacity: number, branch: string, vain: number): Step {
  const { options, input, around, side, evidence } = view;
  const { now } = around;
  const delay = Math.max(delayNow(view), evidence.newest ?? 0, around.overdue ?? 0);
  const share = drainShare(delay, options);
  const bounded = Math.max(capacity, input.bounds.min);
  const same = side.capacity !== undefined && Math.abs(bounded / side.capacity - 1) < SAME;
  // Without a queue nothing is to go, however little below the capacity the rate is.
  const drains = delay === 0 ? 0 : delay / 1000 / (1 - share * (1 - options.headroom));
  const next: Side = {
    ...side,
    capacity: bounded,
    fell: side.capacity !== undefined && bounded < FALL * side.capacity ? now : side.fell,
    hold: same ? Math.min(side.hold * LONGER, options.holdMost) : options.holdFirst,
    steps: 0,
    beyond: 0,
    expected: 0,
    lateSince: undefined,
    drain: { since: now, until: now + drains + GRACE, delay, from: side.drain?.from ?? input.rate, vain },
  };
  return decide(next, bounded * (1 - options.headroom) * share, branch);
}

/** Capacities that let the queue drain may hold again. */
function remember({ past, capacity }: Side, now: number): readonly Found[] {
  if (capacity === undefined) return past;
  const other = past.filter((found) => found.at > now - REMEMBERED && Math.abs(found.capacity / capacity - 1) > SAME);
  return [...other, { at: now, capacity }];
}

/** The queue is gone: at the capacity again, with the room that is kept. */
function drained({ options, around, side }: View): Step {
  const past = remember(side, around.now);
  const next: Side = { ...side, drain: undefined, past, holdUntil: around.now + side.hold };
  return decide(next, side.capacity! * (1 - options.headroom), "drained");
}

/** The delay is none of ours: as before, and left alone for a while. */
function foreign({ around, side }: View, drain: Drain): Step {
  const until = around.now + FOREIGN_REST;
  const next: Side = { ...side, drain: undefined, holdUntil: until, foreignUntil: until };
  return decide(
    next,
    Math.max(side.capacity ?? 0, drain.from),
    "foreign",
    "cutting does not help: the queue is not ours",
  );
}

/** Cuts again when the capacity shows to be less than it was taken for; undefined when it does not. */
function corrected(view: View, drain: Drain): Step | undefined {
  const { around, side, evidence } = view;
  const { now, direction } = around;
  const known = side.capacity!;
  const through = useBetween(side.counts, now - JUST_NOW, now);
  // What comes through a queue that stands is the capacity, when it is less than our own rate lets through.
  const handedOn = direction === "download" && through.load < FOLLOWS && now - drain.since >= JUST_NOW;
  if (handedOn && evidence.late && through.achieved < RECUT * known)
    return cut(view, through.achieved, "cut again", drain.vain);
  const shown = capacityShown(view, drain);
  if (!shown) return undefined;
  if (evidence.late && shown.capacity < RECUT * known) {
    if (!shown.standing) return cut(view, shown.capacity, "cut again", drain.vain);
    // A queue that stays as it is, whatever the rate, is not ours.
    if (drain.vain >= STANDING_MOST) return foreign(view, drain);
    return cut(view, shown.capacity, "cut again", drain.vain + 1);
  }
  // Upload is sent by our own rate, so a capacity that was taken for less than it is shows, too.
  if (shown.growing || direction !== "upload" || shown.capacity <= known / RECUT) return undefined;
  return stay(view, "drain", "the queue drains", { capacity: Math.min(shown.capacity, drain.from) });
}

/** While the queue drains. */
export function draining(view: View, drain: Drain): Step {
  const { around, side, evidence, input } = view;
  const { now } = around;
  const after = side.points.filter(({ sent }) => sent >= drain.since);
  const newest = after.slice(-2);
  const low = lowDelay(view);
  if (newest.length === 2 && newest.every(({ delta }) => delta <= low)) return drained(view);
  const correction = corrected(view, drain);
  if (correction) return correction;
  // Until answers to probes come that left after the cut, what they say is of before.
  if (now <= drain.until || (after.length < 2 && now <= drain.until + UNHEARD)) {
    const delay = Math.max(drain.delay, evidence.newest ?? 0);
    return stay(view, "drain", "the queue drains", { drain: { ...drain, delay } });
  }
  const delay = evidence.newest ?? evidence.delay;
  if (delay === undefined) return stay(view, "drain", "no reflector answers");
  if (!evidence.late) return drained(view);
  const goOn = (seconds: number, blocked: string): Step =>
    stay(view, "drain", blocked, { drain: { ...drain, since: now, delay, until: now + seconds } });
  if (delay < HELPED * drain.delay) return goOn(Math.max(GRACE, (2 * delay) / 1000), "the queue drains slowly");
  if (input.rate <= input.bounds.min) return goOn(AT_MINIMUM, "the minimum is more than the line carries now");
  if (drain.vain >= VAIN_MOST) return foreign(view, drain);
  return cut(view, VAIN_SHARE * side.capacity!, "cut in vain", drain.vain + 1);
}
