/** Controllers on simulated lines: the same controllers as the daemon's, made from the same configuration. */
import { both, type Both } from "../../core/both.ts";
import type { LinkConfig } from "../config.ts";
import type { Controller } from "../controllers/controller.ts";
import { controllerPlan } from "../controllers/registry.ts";
import { figuresOf, type RunFigures } from "../figures/figures.ts";
import type { Setup } from "../model.ts";
import { type Contestant, linkOf } from "./contestant.ts";
import { simulate } from "./run.ts";
import { type MakeScenario, type Scenario, SCENARIOS } from "./scenario.ts";

/** The scenarios by their names. */
export const SCENARIO_BY_NAME: ReadonlyMap<string, MakeScenario> = new Map(
  SCENARIOS.map((make) => [make(0).name, make]),
);

/** What a controller is made for in a scenario: what it is told at the start of a run, here of one that ends at once. */
function setupOf(scenario: Scenario, period: number): Setup {
  let told: Setup | undefined;
  const listener: Controller<undefined> = {
    name: "listener",
    period,
    init(setup) {
      told = setup;
      return undefined;
    },
    step(state, { directions }) {
      return { state, decision: both((d) => ({ rate: directions[d].rate, branch: "hold" })) };
    },
  };
  simulate({ ...scenario, seconds: 0 }, listener);
  return told!;
}

/** The controller that the daemon would have for the link. */
async function controllerOf(link: LinkConfig, scenario: Scenario): Promise<Controller<undefined>> {
  const plan = controllerPlan(link, scenario.random);
  const driver = await plan.open(setupOf(scenario, plan.period));
  return {
    name: driver.name,
    period: plan.period,
    init: () => undefined,
    step(state, input) {
      const decision = driver.decide(input);
      if (decision instanceof Promise) throw new TypeError(`Cannot simulate ${driver.name}: it has to be waited for`);
      return { state, decision };
    },
  };
}

/**
 * Lets a contestant drive a line through a scenario. The same seed gives the same figures.
 *
 * @throws TypeError for options that the controller refuses
 */
export async function contest(make: MakeScenario, seed: number, contestant: Contestant): Promise<Both<RunFigures>> {
  const scenario = make(seed);
  const read = linkOf(contestant, scenario);
  if ("reason" in read) throw new TypeError(`Cannot use "${contestant.label}": ${read.reason}`);
  const series = simulate(scenario, read.link && (await controllerOf(read.link, scenario)));
  return both((d) => figuresOf(series[d]));
}
