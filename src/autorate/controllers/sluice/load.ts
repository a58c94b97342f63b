/** How much of what the shaper allowed was used, over some time. Pure. */
import { throughput } from "../../runner/measure.ts";

/** A look at a byte counter, with the rate that held until then, kbit/s. */
export interface Count {
  /** s */
  readonly at: number;
  readonly bytes: number;
  readonly rate: number;
}

/** How long they are kept, s. */
const KEPT = 3;

/** The counts of before that still matter, and the new one. */
export function keepCounts(counts: readonly Count[], fresh: Count): readonly Count[] {
  const first = counts.findIndex(({ at }) => at >= fresh.at - KEPT);
  return first < 0 ? [fresh] : [...(first === 0 ? counts : counts.slice(first)), fresh];
}

/** What was sent over some time. */
export interface Use {
  /** kbit/s */
  readonly achieved: number;
  /** What the shaper allowed meanwhile, kbit/s. */
  readonly allowed: number;
  readonly load: number;
}

const NONE: Use = { achieved: 0, allowed: 0, load: 0 };

/** Between two times, by the counts around them; nothing when too little is known. */
export function useBetween(counts: readonly Count[], from: number, to: number): Use {
  const end = counts.findIndex(({ at }) => at >= to);
  const last = end < 0 ? counts.length - 1 : end;
  let first = last;
  while (first > 0 && counts[first]!.at > from) first -= 1;
  if (first >= last) return NONE;
  let bits = 0;
  for (let i = first; i < last; i += 1) bits += counts[i + 1]!.rate * (counts[i + 1]!.at - counts[i]!.at);
  const seconds = counts[last]!.at - counts[first]!.at;
  const achieved = throughput(counts[last]!.bytes, counts[first]!.bytes, seconds);
  const allowed = bits / seconds;
  return { achieved, allowed, load: allowed > 0 ? achieved / allowed : 0 };
}
