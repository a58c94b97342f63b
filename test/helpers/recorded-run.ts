/** A simulated line under a controller, as a link records it: header and ticks. */
import { type Controller } from "../../src/autorate/controllers/controller.ts";
import type { Decision, TickInput } from "../../src/autorate/model.ts";
import { headerBounds, type TraceHeader, type TraceTick } from "../../src/autorate/record/trace.ts";
import { settle } from "../../src/autorate/runner/settle.ts";
import { simulate } from "../../src/autorate/simulation/run.ts";
import { type Scenario, SCENARIOS } from "../../src/autorate/simulation/scenario.ts";
import { both } from "../../src/core/both.ts";

/** The wall clock at the start, ms since the epoch. */
export const WALL = 1_700_000_000_000;

/** What was recorded. */
export interface Recorded {
  readonly header: TraceHeader;
  readonly ticks: readonly TraceTick[];
}

/** A scenario by its name and a seed. */
export function scenarioOf(name: string, seed = 1): Scenario {
  const found = SCENARIOS.map((make) => make(seed)).find((scenario) => scenario.name === name);
  if (!found) throw new Error(`there is no scenario ${name}`);
  return found;
}

/** Runs it. */
export function record<S>(scenario: Scenario, controller: Controller<S>): Recorded {
  const { bounds } = scenario;
  const made: { readonly input: TickInput; readonly decision: Decision }[] = [];
  simulate(scenario, controller, (input, decision) => made.push({ input, decision }));
  const ticks = made.map(({ input, decision }): TraceTick => {
    const rates = both((d) => settle(decision[d].rate, bounds[d]));
    const written = (["download", "upload"] as const).filter((d) => rates[d] !== input.directions[d].rate);
    const wall = WALL + input.now * 1000;
    return { kind: "tick", wall, state: "running", input, decision, wanted: rates, rates, written, notes: [] };
  });
  return {
    header: {
      schema: "sluice/autorate-trace/1",
      link: "wan",
      controller: controller.name,
      period: controller.period,
      bounds: headerBounds(bounds),
      start: both((d) => ticks[0]!.input!.directions[d].rate),
      highLoad: 0.8,
      activeRate: 500,
    },
    ticks,
  };
}
