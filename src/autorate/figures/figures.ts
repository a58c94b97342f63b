/** A run's figures: what users feel (delay), what they get (throughput), and how restless the control is. Pure. */
import { type Phase, PHASES, type PhaseName } from "./phases.ts";
import { recovered, settled } from "./reaction.ts";
import { firstAt, meanHeld, meanOfAverages, type RunSeries } from "./series.ts";

/** Figures of all stretches that have the same name. NaN where nothing was seen. */
export interface PhaseFigures {
  /** Delay over idle of the probes that came back, ms: what half of them, 95 % and 99 % stayed at or below, and the longest. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Share of the probes that took more than so many ms over idle. Lost ones are among them. */
  readonly above15: number;
  readonly above30: number;
  readonly above100: number;
  /** Share of the probes. */
  readonly lost: number;
  /** Carried on average, kbit/s. */
  readonly throughput: number;
  /** By what the line could carry. */
  readonly used: number;
  /** Changes of the rate in a minute. */
  readonly changes: number;
  /** How far a change goes on average, as a share of the rate before it. */
  readonly step: number;
  /** Ticks with the rate at the minimum: entries of the series. */
  readonly minimumTicks: number;
  /** Seconds of it. */
  readonly minimumSeconds: number;
}

/** Figures of one direction of a run. */
export interface RunFigures {
  /** `loaded` is all but `idle`. Phases that the run does not have are left out. */
  readonly phases: Readonly<Partial<Record<PhaseName | "loaded", PhaseFigures>>>;
  /** Longest time after a drop until the delay stays below +30 ms for 2 s, s. Infinity: never; NaN: no drop. */
  readonly settled: number;
  /** Longest time after a rise until 80 % of the new capacity were carried for a second, s. Infinity: never; NaN: no rise. */
  readonly recovered: number;
}

/** Whole bytes per second are what the kernel keeps, so a rate at the minimum may be read back as less or a little more. */
const MINIMUM_SLACK = 1.0005;

/** The value that a share of them does not exceed (nearest rank). @param sorted ascending */
const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

type Delays = Pick<PhaseFigures, "p50" | "p95" | "p99" | "max" | "above15" | "above30" | "above100" | "lost">;

/** @param scratch room for all probes */
function delays({ probes: { at, value }, idle }: RunSeries, spans: readonly Phase[], scratch: Float64Array): Delays {
  let sent = 0;
  let answered = 0;
  let in15 = 0;
  let in30 = 0;
  let in100 = 0;
  for (const { from, to } of spans)
    for (let i = firstAt(at, from); i < at.length && at[i]! < to; i += 1) {
      sent += 1;
      const delay = value[i]! - idle;
      if (Number.isNaN(delay)) continue;
      scratch[answered] = delay;
      answered += 1;
      if (delay <= 15) in15 += 1;
      if (delay <= 30) in30 += 1;
      if (delay <= 100) in100 += 1;
    }
  const sorted = scratch.subarray(0, answered).toSorted();
  return {
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
    above15: 1 - in15 / sent,
    above30: 1 - in30 / sent,
    above100: 1 - in100 / sent,
    lost: 1 - answered / sent,
  };
}

type Flow = Pick<PhaseFigures, "throughput" | "used">;

function flow({ throughput, capacity }: RunSeries, spans: readonly Phase[]): Flow {
  let carried = 0;
  let possible = 0;
  let seconds = 0;
  for (const { from, to } of spans) {
    carried += meanOfAverages(throughput, from, to) * (to - from);
    possible += meanHeld(capacity, from, to) * (to - from);
    seconds += to - from;
  }
  return { throughput: carried / seconds, used: carried / possible };
}

type Restlessness = Pick<PhaseFigures, "changes" | "step" | "minimumTicks" | "minimumSeconds">;

function restlessness({ rates: { at, value }, minimum }: RunSeries, spans: readonly Phase[]): Restlessness {
  const low = minimum * MINIMUM_SLACK;
  let changes = 0;
  let steps = 0;
  let minimumTicks = 0;
  let minimumSeconds = 0;
  let seconds = 0;
  for (const { from, to } of spans) {
    seconds += to - from;
    const first = firstAt(at, from);
    // What was set before the span holds in it, though it is no tick of it.
    for (let i = Math.max(0, first - 1); i < at.length && at[i]! < to; i += 1) {
      if (value[i]! <= low) {
        if (i >= first) minimumTicks += 1;
        const end = i + 1 < at.length ? Math.min(to, at[i + 1]!) : to;
        minimumSeconds += end - Math.max(from, at[i]!);
      }
      if (i < first || i === 0 || value[i] === value[i - 1]) continue;
      changes += 1;
      steps += Math.abs(value[i]! / value[i - 1]! - 1);
    }
  }
  const shaped = at.length > 0;
  return {
    changes: shaped ? (changes / seconds) * 60 : Number.NaN,
    step: steps / changes,
    minimumTicks: shaped ? minimumTicks : Number.NaN,
    minimumSeconds: shaped ? minimumSeconds : Number.NaN,
  };
}

/** All figures of a run. */
export function figuresOf(run: RunSeries): RunFigures {
  const scratch = new Float64Array(run.probes.at.length);
  const phases: Partial<Record<PhaseName | "loaded", PhaseFigures>> = {};
  const add = (name: PhaseName | "loaded", spans: readonly Phase[]): void => {
    if (spans.length === 0) return;
    phases[name] = { ...delays(run, spans, scratch), ...flow(run, spans), ...restlessness(run, spans) };
  };
  for (const name of PHASES)
    add(
      name,
      run.phases.filter((phase) => phase.name === name),
    );
  add(
    "loaded",
    run.phases.filter((phase) => phase.name !== "idle"),
  );
  return { phases, settled: settled(run), recovered: recovered(run) };
}
