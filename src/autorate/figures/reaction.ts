/** How soon a change of the capacity is met. */
import type { Phase, Span } from "./phases.ts";
import { firstAt, meanHeld, type RunSeries, type Series } from "./series.ts";

/** After a drop: probes stay so many ms below ... */
const SETTLED_BELOW = 30;
/** ... for so long, s. */
const SETTLED_FOR = 2;
/** After a rise: this share of the new capacity ... */
const RECOVERED_SHARE = 0.8;
/** ... is carried on average over so long, s. */
const RECOVERED_OVER = 1;

/**
 * Seconds from the beginning of a span until the delay stays below +30 ms for 2 s, a lost probe counting as above;
 * Infinity when it never does inside the span.
 */
export function settledAfter({ at, value }: Series, idle: number, { from, to }: Span): number {
  let since = from;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = firstAt(at, from); i < at.length && at[i]! < to; i += 1) {
    last = at[i]!;
    // Of a probe that was lost this is false, too: NaN is below nothing.
    if (value[i]! - idle < SETTLED_BELOW) {
      if (last - since >= SETTLED_FOR) return since - from;
    } else since = i + 1 < at.length ? at[i + 1]! : Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * Seconds from the beginning of a span to the end of the first second in which 80 % of this capacity was carried;
 * Infinity when there is none in the span. So 1 is the best there can be.
 */
export function recoveredAfter({ at, value }: Series, capacity: number, { from, to }: Span): number {
  const enough = RECOVERED_SHARE * capacity * RECOVERED_OVER;
  const first = Math.max(1, firstAt(at, from));
  // The averages that end in the last second, as one sum that is carried along.
  let oldest = first;
  let sum = 0;
  for (let i = first; i < at.length && at[i]! <= to; i += 1) {
    sum += value[i]! * (at[i]! - Math.max(from, at[i - 1]!));
    const begin = at[i]! - RECOVERED_OVER;
    if (begin < from - 1e-9) continue;
    for (; at[oldest]! <= begin + 1e-9; oldest += 1)
      sum -= value[oldest]! * (at[oldest]! - Math.max(from, at[oldest - 1]!));
    // The oldest one may reach out of the second; only its part inside counts.
    const outside = value[oldest]! * Math.max(0, begin - Math.max(from, at[oldest - 1]!));
    if (sum - outside >= enough - 1e-6) return at[i]! - from;
  }
  return Number.POSITIVE_INFINITY;
}

/** Where the wait that begins with this phase ends: with the load, and with the next phase that is of one of these names. */
function until(phases: readonly Phase[], index: number, names: readonly Phase["name"][]): number {
  for (let i = index + 1; i < phases.length; i += 1)
    if (phases[i]!.name === "idle" || names.includes(phases[i]!.name)) return phases[i]!.from;
  return phases.at(-1)!.to;
}

/** The longest of the waits after every drop (see {@link settledAfter}); NaN without a drop. A rise does not end a wait. */
export function settled({ probes, idle, phases }: RunSeries): number {
  let worst = Number.NaN;
  phases.forEach(({ name, from }, index) => {
    if (name !== "drop") return;
    const wait = settledAfter(probes, idle, { from, to: until(phases, index, ["drop"]) });
    worst = Number.isNaN(worst) ? wait : Math.max(worst, wait);
  });
  return worst;
}

/** The longest of the waits after every rise (see {@link recoveredAfter}); NaN without a rise. */
export function recovered({ throughput, capacity, phases }: RunSeries): number {
  let worst = Number.NaN;
  for (const phase of phases) {
    if (phase.name !== "rise") continue;
    const wait = recoveredAfter(throughput, meanHeld(capacity, phase.from, phase.to), phase);
    worst = Number.isNaN(worst) ? wait : Math.max(worst, wait);
  }
  return worst;
}
