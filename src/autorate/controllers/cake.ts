/**
 * The rules of cake-autorate: every answer of a reflector is a step. Delays of the last answers of all reflectors are
 * compared with thresholds; when enough of them are late the rate is cut by 1 to 25 %, by how late they are on average, and
 * while the line is loaded and they are early it grows by up to 4 % at each look at the byte counters. Whole numbers only:
 * microseconds, kbit/s and thousandths, every division cut towards zero, so that the same rates come out.
 */
import { both, type Both, type Direction, DIRECTIONS } from "../../core/both.ts";
import type { Decision, Judged, Setup, TickInput, Verdict } from "../model.ts";
import type { Controller } from "./controller.ts";

/** Options of {@link cake}. Times in us, factors in thousandths, shares of the moving averages in millionths, rates in kbit/s. */
export interface CakeOptions {
  /** Answers that are looked at together, and how many of them must be late. */
  readonly window: number;
  readonly late: number;
  /** An answer is late above this. */
  readonly delayThreshold: Both<number>;
  /** On average: grow fastest below the one, cut hardest above the other. */
  readonly growBelow: Both<number>;
  readonly cutAbove: Both<number>;
  readonly baselineIncrease: number;
  readonly baselineDecrease: number;
  readonly deltaShare: number;
  readonly cutLeast: number;
  readonly cutMost: number;
  readonly growLeast: number;
  readonly growMost: number;
  readonly decayDown: number;
  readonly decayUp: number;
  /** Percent of the rate above which the load is high. */
  readonly highLoad: number;
  readonly bloatRest: number;
  readonly decayRest: number;
  /** Traffic above this is some. */
  readonly activeRate: number;
  /** A full packet with its overhead, bits: what one takes to send is added to all thresholds. */
  readonly packetBits: number;
  /** Answers that came longer ago than this are passed over. */
  readonly stale: number;
  /** What a reflector is taken for at first; undefined: its first answer, for its clock may be off by anything. */
  readonly firstBaseline?: number;
}

/** cake-autorate's own defaults. */
export const CAKE_DEFAULTS: CakeOptions = {
  window: 6,
  late: 3,
  delayThreshold: both(() => 30_000),
  growBelow: both(() => 10_000),
  cutAbove: both(() => 60_000),
  baselineIncrease: 1000,
  baselineDecrease: 900_000,
  deltaShare: 95_000,
  cutLeast: 990,
  cutMost: 750,
  growLeast: 1000,
  growMost: 1040,
  decayDown: 990,
  decayUp: 1010,
  highLoad: 75,
  bloatRest: 300_000,
  decayRest: 1_000_000,
  activeRate: 2000,
  packetBits: 8 * 1514,
  stale: 500_000,
};

const MILLION = 1_000_000;
/** Clocks that differ by so much have been set, us. */
const CLOCK_SET = 3_000_000_000;

/** What is known of a reflector, us. */
export interface CakeReflector {
  readonly baseline: Both<number>;
  readonly average: Both<number>;
}

/** What is known of a direction. */
export interface CakeSide {
  readonly rate: number;
  readonly achieved: number;
  readonly percent: number;
  /** Delays over the baseline of the last answers, us, the oldest first. */
  readonly deltas: readonly number[];
  /** us */
  readonly lastBloat: number;
  readonly lastDecay: number;
  /** The counters were looked at since the rate last grew. */
  readonly counted: boolean;
}

/** What the controller knows. */
export interface CakeState {
  readonly sides: Both<CakeSide>;
  readonly reflectors: ReadonlyMap<string, CakeReflector>;
}

/** What a step found in a direction. */
export interface CakeFinding {
  /** us */
  readonly threshold: number;
  readonly late: number;
  /** us */
  readonly average: number;
  readonly condition: "idle" | "low" | "high";
  readonly bloat: boolean;
  readonly verdict: Verdict;
}

const cut = Math.trunc;
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** At the start. */
export function cakeInit(options: CakeOptions, rates: Both<number>, now: number): CakeState {
  const sides = both((d) => ({
    rate: rates[d],
    achieved: 0,
    percent: 0,
    deltas: Array.from({ length: options.window }, () => 0),
    lastBloat: now,
    lastDecay: now,
    counted: false,
  }));
  return { sides, reflectors: new Map() };
}

/** The byte counters were looked at; rates in kbit/s. */
export function cakeLoad({ sides, reflectors }: CakeState, achieved: Both<number>): CakeState {
  const looked = both((d): CakeSide => {
    const whole = Math.max(0, cut(achieved[d]));
    return { ...sides[d], achieved: whole, percent: cut((100 * whole) / sides[d].rate), counted: true };
  });
  return { sides: looked, reflectors };
}

function moveBaseline(options: CakeOptions, baseline: number, owd: number): number {
  const share = owd >= baseline ? options.baselineIncrease : options.baselineDecrease;
  return cut((share * owd + (MILLION - share) * baseline) / MILLION);
}

function observe(
  options: CakeOptions,
  { sides, reflectors }: CakeState,
  name: string,
  owd: Both<number>,
): { readonly reflector: CakeReflector; readonly delta: Both<number> } {
  const known = reflectors.get(name) ?? {
    baseline: both((d) => options.firstBaseline ?? owd[d]),
    average: both(() => 0),
  };
  const far = DIRECTIONS.reduce((sum, d) => sum + Math.abs(owd[d] - known.baseline[d]), 0) >= CLOCK_SET;
  const baseline = far ? owd : both((d) => moveBaseline(options, known.baseline[d], owd[d]));
  const delta = far ? both(() => 0) : both((d) => owd[d] - baseline[d]);
  // The delay of a reflector itself shows only while the line adds none.
  const quiet = DIRECTIONS.every((d) => sides[d].percent < options.highLoad);
  const { deltaShare: share } = options;
  const average = quiet
    ? both((d) => cut((share * delta[d] + (MILLION - share) * known.average[d]) / MILLION))
    : known.average;
  return { reflector: { baseline, average }, delta };
}

/** How far along from one value to another, in thousandths. */
const along = (value: number, from: number, to: number): number =>
  to > from ? clamp(cut((1000 * (value - from)) / (to - from)), 0, 1000) : 1000;

interface Changed {
  readonly side: CakeSide;
  readonly verdict: Verdict;
}

/** What is decided in one direction once its findings are there. */
function decide(
  options: CakeOptions,
  side: CakeSide,
  base: number,
  now: number,
  found: {
    readonly thresholds: CakeThresholds;
    readonly average: number;
    readonly high: boolean;
    readonly bloat: boolean;
  },
): Changed {
  const { rate } = side;
  const { thresholds, average } = found;
  const rested = now - side.lastBloat > options.bloatRest;
  if (found.bloat) {
    if (!rested) return { side, verdict: { rate, branch: "hold", blocked: "just cut" } };
    const k = along(average, thresholds.delay, thresholds.cut);
    const factor = options.cutLeast * 1000 - k * (options.cutLeast - options.cutMost);
    const next = cut((rate * factor) / MILLION);
    return { side: { ...side, lastBloat: now, lastDecay: now }, verdict: { rate: next, branch: "cut" } };
  }
  if (found.high) {
    if (!side.counted) return { side, verdict: { rate, branch: "hold", blocked: "no new load" } };
    if (!rested) return { side, verdict: { rate, branch: "hold", blocked: "just cut" } };
    const k = along(thresholds.delay - average, 0, thresholds.delay - thresholds.grow);
    const factor = options.growLeast * 1000 + k * (options.growMost - options.growLeast);
    return {
      side: { ...side, counted: false, lastDecay: now },
      verdict: { rate: cut((rate * factor) / MILLION), branch: "grow" },
    };
  }
  if (now - side.lastDecay <= options.decayRest)
    return { side, verdict: { rate, branch: "hold", blocked: "just decayed" } };
  const decayed =
    rate > base
      ? Math.max(base, cut((rate * options.decayDown) / 1000))
      : Math.min(base, cut((rate * options.decayUp) / 1000));
  return { side: { ...side, lastDecay: now }, verdict: { rate: decayed, branch: "decay" } };
}

/** What delays are compared with, us. */
export interface CakeThresholds {
  readonly delay: number;
  readonly grow: number;
  readonly cut: number;
}

/** The thresholds, with what a packet takes to send at this rate added. */
export function cakeThresholds(options: CakeOptions, direction: Direction, rate: number): CakeThresholds {
  const packet = cut((1000 * options.packetBits) / rate);
  return {
    delay: options.delayThreshold[direction] + packet,
    grow: options.growBelow[direction] + packet,
    cut: options.cutAbove[direction] + packet,
  };
}

/** One answer: `owd` and `now` in us. Rates are not yet within their bounds. */
export function cakeSample(
  options: CakeOptions,
  state: CakeState,
  answer: { readonly reflector: string; readonly owd: Both<number>; readonly now: number },
  base: Both<number>,
): { readonly state: CakeState; readonly findings: Both<CakeFinding>; readonly reflector: CakeReflector } {
  const { reflector, delta } = observe(options, state, answer.reflector, answer.owd);
  const made = both((d) => {
    const deltas = [...state.sides[d].deltas.slice(1), delta[d]];
    const side = { ...state.sides[d], deltas };
    const thresholds = cakeThresholds(options, d, side.rate);
    const late = deltas.filter((value) => value > thresholds.delay).length;
    const average = cut(deltas.reduce((a, b) => a + b, 0) / deltas.length);
    const high = side.percent > options.highLoad;
    const bloat = late >= options.late;
    const changed = decide(options, side, base[d], answer.now, { thresholds, average, high, bloat });
    const low = side.achieved > options.activeRate ? "low" : "idle";
    const finding: CakeFinding = {
      threshold: thresholds.delay,
      late,
      average,
      condition: high ? "high" : low,
      bloat,
      verdict: changed.verdict,
    };
    return { side: { ...changed.side, rate: changed.verdict.rate }, finding };
  });
  return {
    state: {
      sides: both((d) => made[d].side),
      reflectors: new Map(state.reflectors).set(answer.reflector, reflector),
    },
    findings: both((d) => made[d].finding),
    reflector,
  };
}

/** Between ticks, s: as often as cake-autorate looks at its counters. */
const PERIOD = 0.2;
const micro = (seconds: number): number => Math.round(seconds * MILLION);

function within(state: CakeState, { directions }: TickInput): CakeState {
  const sides = both((d) => {
    const { min, max } = directions[d].bounds;
    return { ...state.sides[d], rate: clamp(state.sides[d].rate, min, max) };
  });
  return { ...state, sides };
}

/** The controller: at each tick the load, then every answer that came. */
export function cake(options: CakeOptions): Controller<CakeState> {
  const answersOf = (input: TickInput): readonly Judged[] =>
    input.samples.filter(({ received }) => micro(input.now - received) <= options.stale);

  function step(before: CakeState, input: TickInput): { state: CakeState; decision: Decision } {
    const { directions } = input;
    // Somebody else may have set another rate.
    const sides = both((d) => ({ ...before.sides[d], rate: directions[d].rate }));
    let state = cakeLoad(
      { ...before, sides },
      both((d) => directions[d].achieved),
    );
    const base = both((d) => directions[d].bounds.base);
    let verdicts: Both<Verdict> = both((d) => ({ rate: directions[d].rate, branch: "hold", blocked: "no answer" }));
    for (const { reflector, owd, received } of answersOf(input)) {
      const micros = both((d) => Math.round(owd[d] * 1000));
      const stepped = cakeSample(options, state, { reflector, owd: micros, now: micro(received) }, base);
      const last = verdicts;
      // What is told of a tick is its last change, not the last answer.
      verdicts = both((d) => {
        const { verdict } = stepped.findings[d];
        return verdict.branch === "hold" && last[d].branch !== "hold" ? { ...last[d], rate: verdict.rate } : verdict;
      });
      state = within(stepped.state, input);
    }
    return { state, decision: both((d) => ({ ...verdicts[d], rate: state.sides[d].rate })) };
  }

  return {
    name: "cake",
    period: PERIOD,
    init: ({ start, now }: Setup) => cakeInit(options, start, micro(now)),
    step,
  };
}
