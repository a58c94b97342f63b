/**
 * Controllers of autorate side by side on the real kernel: a line whose capacity varies, traffic that fills it, somebody who
 * feels the delay. Each run has a bed of its own, and several run at a time.
 */
import type { Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { count, named } from "./asked.ts";
import { CONTROLLERS, type ControllerName } from "./controllers.ts";
import { type Order, type Outcome, run } from "./run.ts";
import { type Scenario, SCENARIOS, type ScenarioName } from "./scenarios.ts";
import { type Cell, cellOf, scenarioTable } from "./table.ts";
import { wanted } from "./wanted.ts";

/** Runs at a time, unless told otherwise: what two cores carry without a change of the figures. */
const JOBS = 5;
/** Seconds that a run takes beside its scenario's. */
const OVERHEAD = 7;
/** What a look within minutes does without. */
const QUICK: readonly ScenarioName[] = ["download", "upload-udp"];

/** Carries out so many orders at a time, in their order. @throws the first failure, when those under way have ended */
async function carryOut(orders: readonly Order[], jobs: number, folder: string | undefined): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = orders.values();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const order of left) {
      if (failed) return;
      try {
        outcomes.push(await run(order, folder));
      } catch (error) {
        failed = true;
        const { scenario, controller, seed } = order;
        throw new Error(`${scenario} with ${controller}, seed ${seed}, failed`, { cause: error });
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: jobs }, () => work()));
  const rejected = ends.find((end) => end.status === "rejected");
  if (rejected) throw rejected.reason;
  return outcomes;
}

function cellsOf(outcomes: readonly Outcome[]): Map<ControllerName, Cell> {
  const cells = new Map<ControllerName, Cell>();
  for (const name of CONTROLLERS) {
    const own = outcomes.filter(({ controller }) => controller === name);
    if (own.length > 0) cells.set(name, cellOf(own));
  }
  return cells;
}

/** All scenarios, and what is wanted of ours. */
export async function* autorate(options: BenchOptions): AsyncGenerator<Section> {
  const all = Object.keys(SCENARIOS) as ScenarioName[];
  const scenarios = named("scenario", all, options.scenarios ?? (options.quick ? QUICK : undefined));
  const controllers = named("controller", CONTROLLERS, options.controllers);
  const seeds = count("seeds", options.seeds ?? 1);
  const jobs = count("runs at a time", options.jobs ?? JOBS);
  const rounds = Math.ceil((controllers.length * seeds) / jobs);
  const seconds = scenarios.reduce((sum, name) => sum + rounds * (SCENARIOS[name].seconds + OVERHEAD), 0);
  const runs = scenarios.length * controllers.length * seeds;
  console.log(`${runs} runs, ${jobs} at a time: about ${Math.ceil(seconds / 60)} minutes.\n`);
  const cells = new Map<ScenarioName, ReadonlyMap<ControllerName, Cell>>();
  for (const name of scenarios) {
    const scenario: Scenario = SCENARIOS[name];
    // Controllers of the same seed side by side, so that whatever else the machine does meets all of them alike.
    const orders = Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
      controllers.map((controller): Order => ({ scenario: name, controller, seed })),
    );
    const own = cellsOf(await carryOut(orders, jobs, options.keep));
    cells.set(name, own);
    const { direction, loads } = scenario.play(1);
    yield {
      title: `${name}: ${scenario.title}`,
      rows: [],
      table: scenarioTable(own, { direction, loaded: loads.length > 0 }),
      remarks: seeds === 1 ? ["One run each."] : [`Median (worst) of ${seeds} runs.`],
    };
  }
  if (controllers.includes("sluice"))
    yield { title: "What is wanted of the controller of our own", rows: [], bounds: wanted(cells) };
}
