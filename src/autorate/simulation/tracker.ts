/** Turns the samples of a simulated line into deltas, by the same baselines as those of a real one. */
import type { Both } from "../../core/both.ts";
import { type BaselineState, collectDeltas, step } from "../baseline.ts";
import type { Judged, Sample } from "../model.ts";

/** An answer counts as fresh for two of these, s. */
const TICK = 0.5;

/** Baselines of all reflectors. */
export class Tracker {
  readonly #states = new Map<string, BaselineState>();

  /** Takes an answer in. */
  judge(sample: Sample): Judged {
    const { state, delta } = step(this.#states.get(sample.reflector), sample, { kind: "real" });
    this.#states.set(sample.reflector, state);
    return { ...sample, delta };
  }

  /** Smoothed deltas of those that answered lately, ascending. */
  deltas(now: number): Both<number[]> {
    return collectDeltas(this.#states.values(), now, TICK);
  }
}
