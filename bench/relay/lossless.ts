/** The highest rate that goes through whole, by steps: each is tried several times, and the median decides. */
import type { RunResult } from "./run.ts";
import { sample } from "../sample.ts";

/** Packets a second, each about a seventh to a quarter more than the one before. */
const STEPS = [
  25, 35, 50, 65, 80, 100, 125, 150, 175, 200, 225, 250, 275, 300, 350, 400, 450, 500, 550, 600, 650, 700, 800, 900,
  1000, 1150, 1300, 1500, 1700, 2000, 2300, 2600,
].map((thousands) => thousands * 1000);
/** Part that may be lost. */
const LOST = 0.001;
/** A generator that reaches less than this part of a step is at its own limit. */
const REACHED = 0.95;

/** What was found. */
export interface Lossless {
  /** Packets a second; 0: not even the lowest step. */
  readonly rate: number;
  /** Part of a processor that the relay had at that rate. */
  readonly cpu: number;
  /** The generator could do no more. */
  readonly limited: boolean;
}

interface Step extends Lossless {
  readonly passed: boolean;
}

/** Tries a step until the median of so many runs is certain. */
async function tryStep(rate: number, runs: number, run: (rate: number) => Promise<RunResult>): Promise<Step> {
  const results: RunResult[] = [];
  for (const majority = (runs + 1) / 2; results.length < runs;) {
    results.push(await run(rate));
    const good = results.filter(({ lost }) => lost < LOST).length;
    if (good >= majority || results.length - good >= majority) break;
  }
  const offered = sample(results.map((result) => result.offered)).median;
  return {
    passed: results.filter(({ lost }) => lost < LOST).length * 2 > results.length,
    rate: Math.min(rate, offered),
    cpu: sample(results.map(({ cpu }) => cpu)).median,
    limited: offered < REACHED * rate,
  };
}

/** Finds it between the steps by halves. @param run one run at a rate */
export async function findLossless(runs: number, run: (rate: number) => Promise<RunResult>): Promise<Lossless> {
  let best: Lossless = { rate: 0, cpu: 0, limited: false };
  let [low, high] = [0, STEPS.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const step = await tryStep(STEPS[middle]!, runs, run);
    if (step.passed && step.rate > best.rate) best = step;
    // More than the generator can do is asked of nobody.
    if (step.passed && step.limited) high = Math.min(high, middle);
    else if (step.passed) low = middle + 1;
    else high = middle;
  }
  return best;
}
