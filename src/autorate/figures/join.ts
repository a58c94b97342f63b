/** Runs that differ by their seed only, joined: the median says what to expect, the worst what must be borne. */
import type { PhaseFigures, RunFigures } from "./figures.ts";

/** A figure over several runs. */
export interface Spread {
  readonly median: number;
  /** The highest, or the lowest where more is better. */
  readonly worst: number;
}

/** {@link PhaseFigures} over several runs. */
export type PhaseSpreads = { readonly [K in keyof PhaseFigures]: Spread };

/** {@link RunFigures} over several runs. */
export interface JoinedFigures {
  readonly runs: number;
  readonly phases: { readonly [K in keyof RunFigures["phases"]]: PhaseSpreads };
  readonly settled: Spread;
  readonly recovered: Spread;
}

/** Which end is the worse one. */
const WORSE: Readonly<Record<keyof PhaseFigures, "high" | "low">> = {
  p50: "high",
  p95: "high",
  p99: "high",
  max: "high",
  above15: "high",
  above30: "high",
  above100: "high",
  lost: "high",
  throughput: "low",
  used: "low",
  changes: "high",
  step: "high",
  minimumTicks: "high",
  minimumSeconds: "high",
};

/** Median and worst of those that are numbers; NaN when none is. Infinity ("never") counts as the highest. */
export function spreadOf(values: readonly number[], worse: "high" | "low"): Spread {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  if (sorted.length === 0) return { median: Number.NaN, worst: Number.NaN };
  const upper = sorted[Math.floor(sorted.length / 2)]!;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]!;
  return { median: (lower + upper) / 2, worst: worse === "high" ? sorted.at(-1)! : sorted[0]! };
}

function joinPhases(all: readonly PhaseFigures[]): PhaseSpreads {
  const keys = Object.keys(WORSE) as (keyof PhaseFigures)[];
  const spread = (key: keyof PhaseFigures): Spread =>
    spreadOf(
      all.map((figures) => figures[key]),
      WORSE[key],
    );
  return Object.fromEntries(keys.map((key) => [key, spread(key)])) as PhaseSpreads;
}

/** Joins the runs of one controller in one scenario. A phase is there when a run has it. */
export function joinFigures(runs: readonly RunFigures[]): JoinedFigures {
  const names = new Set(runs.flatMap((run) => Object.keys(run.phases) as (keyof RunFigures["phases"])[]));
  const phases = [...names].map((name) => [name, joinPhases(runs.flatMap((run) => run.phases[name] ?? []))] as const);
  return {
    runs: runs.length,
    phases: Object.fromEntries(phases),
    settled: spreadOf(
      runs.map((run) => run.settled),
      "high",
    ),
    recovered: spreadOf(
      runs.map((run) => run.recovered),
      "high",
    ),
  };
}
