/**
 * The rules of sqm-autorate ("EWMA"): grow while the line is loaded and its delay low, cut when the delay is high, and
 * remember at which rates it was loaded without delay. The order of evaluation is that of the originals, so that the same
 * numbers come out to the last bit; what they get wrong is mended unless `compat` asks for one of them.
 *
 * - Delay: the third lowest delta of a direction, or the lowest when fewer than three reflectors answer.
 * - Growth: 10 % of the rate, less the nearer it is to the best safe rate, and 3 % of base.
 * - Cut: to 90 % of what was sent, or to a safe rate picked at random when that is less.
 */
import { both, type Both, type Direction, DIRECTIONS } from "../../core/both.ts";
import type { Decision, DirectionInput, Random, Setup, TickInput, Verdict } from "../model.ts";
import { throughput } from "../runner/measure.ts";
import type { Controller } from "./controller.ts";

/** Options of {@link ewma}. */
export interface EwmaOptions {
  /** `none` with the repairs; `lua` and `rust` reckon as sqm-autorate and sqm-autorate-rust do, faults included. */
  readonly compat: "none" | "lua" | "rust";
  /** Safe rates remembered per direction. */
  readonly speedHistory: number;
  /** A line loaded above this may grow. */
  readonly highLoad: number;
  /** Pick among all safe rates; the original never picks the last. */
  readonly wholeRing: boolean;
  /** Delay while the load is low: cut at once, or when it is there in two ticks in a row or in half of the reflectors. */
  readonly cutAtLowLoad: "confirm" | "always";
  /** Without traffic, go back to base by 1 % a second. */
  readonly idleDecay: boolean;
  /** Traffic below this is none, kbit/s. */
  readonly activeRate: number;
}

/** What it begins with when nothing else is said. */
export const EWMA_DEFAULTS: EwmaOptions = {
  compat: "none",
  speedHistory: 100,
  highLoad: 0.8,
  wholeRing: true,
  cutAtLowLoad: "confirm",
  idleDecay: false,
  activeRate: 100,
};

/** Answers fewer than this many reflectors, others are looked for. */
const ENOUGH = 5;
/** Between ticks, s. */
const PERIOD = 0.5;
const DECAY_PER_SECOND = 0.01;

/** One direction of {@link EwmaState}. */
interface Side {
  /** Rates at which the line was loaded without delay, kbit/s. */
  readonly safe: readonly number[];
  /** Where the next one is written. */
  readonly next: number;
  /** As last reckoned. */
  readonly bytes: number;
  readonly at: number;
  /** Ticks in a row with delay at low load. */
  readonly suspect: number;
}

/** What the controller knows. */
export type EwmaState = Both<Side>;

/** The delay that counts: the third lowest of these, or the lowest of fewer; undefined of none. */
export const deltaStatistic = (deltas: readonly number[]): number | undefined => deltas[2] ?? deltas[0];

/** The rates to begin with: between 75 and 95 % of base. */
const seed = (base: number, random: Random): number => (random() * 0.2 + 0.75) * base;

function initSafe({ compat, speedHistory }: EwmaOptions, { bounds }: Setup, random: Random): Both<number[]> {
  const rates: Both<number[]> = { download: [], upload: [] };
  if (compat === "rust") {
    // All of one direction, then all of the other.
    for (const d of DIRECTIONS) for (let i = 0; i < speedHistory; i += 1) rates[d].push(seed(bounds[d].base, random));
    return rates;
  }
  for (let i = 0; i < speedHistory; i += 1) for (const d of DIRECTIONS) rates[d].push(seed(bounds[d].base, random));
  return rates;
}

/** One of the safe rates; undefined when there are too few to pick from. */
function pick(options: EwmaOptions, safe: readonly number[], random: Random): number | undefined {
  if (options.compat === "lua" && safe.length <= 1) return undefined;
  const whole = options.compat === "rust" || (options.compat === "none" && options.wholeRing);
  return safe[Math.floor(random() * (safe.length - (whole ? 0 : 1)))] ?? safe[0];
}

/** A direction's tick: what was sent, as the controller reckons it. */
interface Measured {
  readonly achieved: number;
  readonly load: number;
}

function measure(side: Side, input: DirectionInput, now: number): Measured {
  const achieved = throughput(input.bytes, side.bytes, now - side.at);
  return { achieved, load: achieved / input.rate };
}

/** Whether delay at low load is to be believed. */
function confirmed(
  options: EwmaOptions,
  { deltas, threshold }: DirectionInput,
  load: number,
  suspect: number,
): boolean {
  if (options.compat !== "none" || options.cutAtLowLoad === "always" || load > options.highLoad) return true;
  return suspect >= 2 || deltas.filter((delta) => delta > threshold).length >= Math.max(2, deltas.length / 2);
}

interface Judged {
  readonly side: Side;
  readonly verdict: Verdict;
}

/** Grows, holds or cuts one direction. */
function judge(
  options: EwmaOptions,
  side: Side,
  input: DirectionInput,
  delta: number,
  measured: Measured,
  elapsed: number,
  random: Random,
): Judged {
  const { rate, threshold, bounds } = input;
  const { load } = measured;
  if (options.compat === "none" && options.idleDecay && measured.achieved < options.activeRate && delta <= threshold)
    return { side: { ...side, suspect: 0 }, verdict: { rate: decayed(rate, bounds.base, elapsed), branch: "idle" } };
  if (delta < threshold && load > options.highLoad) {
    const safe = side.safe.with(side.next, Math.floor(rate * load));
    const best = safe.reduce((a, b) => Math.max(a, b));
    const grown = rate * (1 + 0.1 * Math.max(0, 1 - rate / best)) + bounds.base * 0.03;
    const next = (side.next + 1) % safe.length;
    return { side: { ...side, safe, next, suspect: 0 }, verdict: { rate: grown, branch: "grow" } };
  }
  if (delta > threshold) {
    const suspect = side.suspect + 1;
    if (!confirmed(options, input, load, suspect))
      return { side: { ...side, suspect }, verdict: { rate, branch: "hold", blocked: "delay at low load, once" } };
    const cut = 0.9 * rate * load;
    const safe = pick(options, side.safe, random);
    const verdict = { rate: safe === undefined ? cut : Math.min(cut, safe), branch: "cut" };
    return { side: { ...side, suspect }, verdict };
  }
  const blocked = delta === threshold ? "the delay is at its threshold" : "the load is low";
  return { side: { ...side, suspect: 0 }, verdict: { rate, branch: "hold", blocked } };
}

/** Nearer to base, from either side. */
function decayed(rate: number, base: number, elapsed: number): number {
  const step = base * DECAY_PER_SECOND * elapsed;
  return rate > base ? Math.max(base, rate - step) : Math.min(base, rate + step);
}

/** Delays of some reflectors that let nothing be judged: what then. */
function blind(options: EwmaOptions, input: DirectionInput): Verdict {
  if (options.compat === "none") return { rate: input.rate, branch: "blind", blocked: "no reflector answers" };
  return { rate: input.bounds.min, branch: "blind" };
}

/** The controller. */
export function ewma(options: EwmaOptions): Controller<EwmaState> {
  // The originals go through the directions in different orders, which shows in the random draws.
  const order: readonly Direction[] = options.compat === "rust" ? DIRECTIONS : DIRECTIONS.toReversed();

  function step(state: EwmaState, input: TickInput, random: Random): { state: EwmaState; decision: Decision } {
    const { directions, now, elapsed } = input;
    const deltas = both((d) => deltaStatistic(directions[d].deltas));
    const reselect = DIRECTIONS.some((d) => directions[d].deltas.length < ENOUGH);
    const none = DIRECTIONS.some((d) => deltas[d] === undefined);
    if (none && options.compat !== "none") {
      const decision = { ...both((d) => blind(options, directions[d])), reselect };
      const counted = both((d) => ({ ...state[d], bytes: directions[d].bytes, at: now }));
      // The one forgets what was sent meanwhile, the other does not.
      return { state: options.compat === "lua" ? counted : state, decision };
    }
    const one = (d: Direction): Judged => {
      const side = state[d];
      const at = directions[d];
      const delta = deltas[d];
      if (delta === undefined) return { side: { ...side, bytes: at.bytes, at: now }, verdict: blind(options, at) };
      const counted = { ...side, bytes: at.bytes, at: now };
      if (options.compat === "rust" && delta <= 0)
        return { side: counted, verdict: { rate: at.rate, branch: "hold", blocked: "no delay" } };
      return judge(options, counted, at, delta, measure(side, at, now), elapsed, random);
    };
    const made = new Map(order.map((d) => [d, one(d)]));
    const decision = { ...both((d) => made.get(d)!.verdict), reselect };
    return { state: both((d) => made.get(d)!.side), decision };
  }

  return {
    name: "ewma",
    period: PERIOD,
    init(setup, random) {
      const safe = initSafe(options, setup, random);
      return both((d) => ({ safe: safe[d], next: 0, bytes: setup.bytes[d], at: setup.now, suspect: 0 }));
    },
    history: (state) => both((d) => state[d].safe),
    step,
  };
}
