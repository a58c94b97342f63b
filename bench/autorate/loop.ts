/**
 * Controllers of autorate side by side on simulated lines (src/autorate/simulation): no kernel and no waiting, so as many
 * seeds as one likes. What it says of one controller beside another holds as far as the fluid model of a line does.
 */
import { availableParallelism } from "node:os";
import { SCENARIO_BY_NAME } from "../../src/autorate/simulation/contest.ts";
import { CONTESTANTS, parseContestant } from "../../src/autorate/simulation/contestant.ts";
import type { Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { count, named } from "./asked.ts";
import { LoopPool } from "./loop-pool.ts";
import { cellOf, scenarioTable } from "./table.ts";

const SEEDS = 40;
const QUICK_SEEDS = 5;

/** Those that were named, each readable; all with their defaults when none was. @throws Error when one is none */
function contestants(labels: readonly string[] = CONTESTANTS): readonly string[] {
  for (const label of labels) {
    const contestant = parseContestant(label);
    if ("reason" in contestant) throw new Error(contestant.reason);
  }
  return labels;
}

/** All scenarios. */
export async function* autorateLoop(options: BenchOptions): AsyncGenerator<Section> {
  const controllers = contestants(options.controllers);
  const scenarios = named("scenario", [...SCENARIO_BY_NAME.keys()], options.scenarios);
  const seeds = count("seeds", options.seeds ?? (options.quick ? QUICK_SEEDS : SEEDS));
  const jobs = count("runs at a time", options.jobs ?? availableParallelism());
  using pool = new LoopPool(jobs);
  const begin = performance.now();
  for (const scenario of scenarios) {
    const orders = Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
      controllers.map((controller) => ({ scenario, controller, seed })),
    );
    const outcomes = await pool.carryOut(orders);
    const cells = new Map(
      controllers.map((label) => [label, cellOf(outcomes.filter(({ controller }) => controller === label))]),
    );
    const { watched, loads } = SCENARIO_BY_NAME.get(scenario)!(1);
    yield {
      title: `${scenario}, ${watched}`,
      rows: [],
      table: scenarioTable(cells, { direction: watched, loaded: loads[watched].length > 0 }),
      remarks: [seeds === 1 ? "One run each." : `Median (worst) of ${seeds} runs.`],
    };
  }
  const runs = scenarios.length * controllers.length * seeds;
  const seconds = (performance.now() - begin) / 1000;
  const remark = `${runs} runs in ${seconds.toFixed(1)} s, ${jobs} at a time: ${Math.round((60 * runs) / seconds)} a minute.`;
  yield { title: "How many runs fit", rows: [], remarks: [remark] };
}
