/**
 * What a controller is: a pure function from what it knows and what is measured to rates. The runner (../runner) owns the
 * loop, the counters, the bounds and the writing; it hands the same inputs to any of them.
 */
import type { Both } from "../../core/both.ts";
import type { Decision, Random, Setup, TickInput } from "../model.ts";

/** A controller with its options already in it. `S` is what it knows: plain data, never changed in place. */
export interface Controller<S> {
  readonly name: string;
  /** Between ticks, s. */
  readonly period: number;
  /** What it knows at the start. */
  init(setup: Setup, random: Random): S;
  /** Rates at which the line was loaded without delay, kbit/s, for those that remember them. */
  history?(state: S): Both<readonly number[]>;
  /** One tick. */
  step(state: S, input: TickInput, random: Random): { readonly state: S; readonly decision: Decision };
}

/** A controller with what it knows: what the runner calls. Lua's answers come from a thread, so it may have to be awaited. */
export interface Driver extends AsyncDisposable {
  readonly name: string;
  readonly period: number;
  decide(input: TickInput): Decision | Promise<Decision>;
  /** See {@link Controller.history}. */
  history?(): Both<readonly number[]>;
}

/** Runs a pure controller. */
export function driverOf<S>(controller: Controller<S>, setup: Setup, random: Random): Driver {
  let state = controller.init(setup, random);
  return {
    ...(controller.history && { history: () => controller.history!(state) }),
    name: controller.name,
    period: controller.period,
    decide(input) {
      const step = controller.step(state, input, random);
      state = step.state;
      return step.decision;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
