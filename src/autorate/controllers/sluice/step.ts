/**
 * One direction of the controller `sluice`: a small machine with two states. Without a drain it looks for more (open.ts);
 * when the queue of the line shows, the capacity is estimated, the rate goes below it at once, and it waits until the queue
 * is gone (drain.ts), for what is measured meanwhile tells of the past. docs/autorate.md has it in words and formulas. Pure.
 */
import type { DirectionInput } from "../../model.ts";
import { draining } from "./drain.ts";
import { keepPoints, pendingAfter, weigh } from "./evidence.ts";
import { keepCounts, type Use, useBetween } from "./load.ts";
import { opened, PART } from "./open.ts";
import type { SluiceOptions } from "./options.ts";
import type { Side } from "./side.ts";
import type { Around, Step } from "./view.ts";

/** A full packet on the wire, bits: what one takes to send is no queue. */
const PACKET_BITS = 8 * 1514;
/** So many of them are between any two probes. */
const PACKETS = 1.5;
/** What the load is judged by, s. */
const LOAD_WINDOW = 0.35;
/** So far below the known capacity nothing of ours is in the delay. */
const BELOW = 0.98;
/** What the quiet line's delay is taken for follows it so fast, down and up; and so fast its jitter. */
const QUIET_DOWN = 0.1;
const QUIET_UP = 0.03;
const JITTER = 0.05;
/** No line that is called quiet has more delay over its baseline, ms. */
const QUIET_MOST = 50;

/** Learns what the quiet line is like, while nothing of ours can be in its delay. */
function learn(side: Side, delay: number | undefined, use: Use): Side {
  const alone = use.load < PART || (side.capacity !== undefined && use.allowed < BELOW * side.capacity);
  if (delay === undefined || side.drain !== undefined || !alone) return side;
  const bounded = Math.min(delay, QUIET_MOST);
  // Quicker to believe that it is less than that it is more: a queue that stands is no quiet line.
  const share = bounded < side.quiet ? QUIET_DOWN : QUIET_UP;
  const quiet = side.quiet + share * (bounded - side.quiet);
  return { ...side, quiet, jitter: side.jitter + JITTER * (Math.abs(bounded - side.quiet) - side.jitter) };
}

/** One tick of a direction. */
export function stepSide(before: Side, input: DirectionInput, around: Around, options: SluiceOptions): Step {
  const { now, fresh } = around;
  const counts = keepCounts(before.counts, { at: now, bytes: input.bytes, rate: input.rate });
  const points = keepPoints(before.points, fresh, now);
  const threshold = input.threshold + (PACKETS * PACKET_BITS) / input.rate;
  const newest = points.at(-1);
  const pending = newest && pendingAfter(around.outstanding, newest.sent, now);
  const evidence = weigh(points, threshold, now, pending);
  const use = useBetween(counts, now - LOAD_WINDOW, now);
  const known = { ...before, counts, points };
  const side = evidence.late ? known : learn(known, evidence.delay, use);
  const view = { options, input, around, side, evidence, use, threshold };
  return side.drain ? draining(view, side.drain) : opened(view);
}
