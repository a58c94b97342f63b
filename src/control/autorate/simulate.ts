/** Controllers side by side on simulated lines. Touches nothing. */
import { setImmediate } from "node:timers/promises";
import { joinFigures, type JoinedFigures } from "../../autorate/figures/join.ts";
import { contest, SCENARIO_BY_NAME } from "../../autorate/simulation/contest.ts";
import { type Contestant, CONTESTANTS, parseContestant } from "../../autorate/simulation/contestant.ts";
import type { Direction } from "../../core/both.ts";
import { sluiceError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";

export type { JoinedFigures, Spread } from "../../autorate/figures/join.ts";

/** What is to be simulated. */
export interface SimulationOrder {
  /** As {@link parseContestant} reads them; all with their defaults when there is none. */
  readonly controllers: readonly string[];
  /** By their names; all when there is none. */
  readonly scenarios: readonly string[];
  /** Runs of each. */
  readonly seeds: number;
}

/** A controller in a scenario. */
export interface SimulatedController {
  readonly label: string;
  /** Of the direction that is watched. */
  readonly figures: JoinedFigures;
}

/** A scenario, with all who took part. */
export interface SimulatedScenario {
  readonly name: string;
  readonly direction: Direction;
  readonly controllers: readonly SimulatedController[];
}

/** More seeds tell nothing more, and take longer than anybody waits. */
const MOST_SEEDS = 10_000;

const usage = (reason: string) => sluiceError("USAGE", { reason, command: "sluice autorate simulate" });

/** What was asked for, read. */
export interface Simulation {
  readonly scenarios: readonly string[];
  readonly contestants: readonly Contestant[];
  readonly seeds: number;
}

/** Reads what was asked for. @throws SluiceError USAGE */
export function planSimulation({ controllers, scenarios, seeds }: SimulationOrder): Simulation {
  const names = [...SCENARIO_BY_NAME.keys()];
  const unknown = scenarios.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw usage(`There is no scenario "${unknown}", only ${names.join(", ")}${didYouMean(unknown, names)}`);
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > MOST_SEEDS)
    throw usage(`Cannot run ${seeds} seeds: wanted a whole number from 1 to ${MOST_SEEDS}`);
  const labels = [...new Set(controllers.length > 0 ? controllers : CONTESTANTS)];
  const contestants = labels.map((label) => {
    const read = parseContestant(label);
    if ("reason" in read) throw usage(read.reason);
    return read;
  });
  return {
    scenarios: scenarios.length > 0 ? names.filter((name) => scenarios.includes(name)) : names,
    contestants,
    seeds,
  };
}

/** Lets one contestant through a scenario with every seed; undefined when the caller does not want it any more. */
async function through(
  scenario: string,
  contestant: Contestant,
  seeds: number,
  signal: AbortSignal,
): Promise<SimulatedController | undefined> {
  const make = SCENARIO_BY_NAME.get(scenario)!;
  const { watched } = make(1);
  const runs = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    // Runs wait for nothing, so an interrupt is heard between two of them only.
    await setImmediate();
    if (signal.aborted) return undefined;
    runs.push((await contest(make, seed, contestant))[watched]);
  }
  return { label: contestant.label, figures: joinFigures(runs) };
}

/** Simulates, and gives each scenario when it is there; ends early when the signal says so. */
export async function* simulateLines(simulation: Simulation, signal: AbortSignal): AsyncGenerator<SimulatedScenario> {
  const { scenarios, contestants, seeds } = simulation;
  for (const name of scenarios) {
    const controllers: SimulatedController[] = [];
    for (const contestant of contestants) {
      const one = await through(name, contestant, seeds, signal);
      if (!one) return;
      controllers.push(one);
    }
    yield { name, direction: SCENARIO_BY_NAME.get(name)!(1).watched, controllers };
  }
}
