/** `sluice autorate simulate`: controllers side by side on simulated lines. Touches nothing. */
import type { JoinedFigures, SimulatedScenario, Spread } from "../../../control/autorate/simulate.ts";
import { EXIT } from "../../../core/exit.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { SIMULATION_LEGEND, simulationTable } from "../../render/simulation.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly controller?: readonly string[];
  readonly scenario?: readonly string[];
  readonly seeds: number;
}

type Phase = NonNullable<JoinedFigures["phases"]["loaded"]>;

/** As JSON has it: never is null, and what there was none of is left out. */
function numbers(name: string, spread: Spread, factor = 1) {
  const number = (value: number): number | null => (Number.isFinite(value) ? factor * value : null);
  if (Number.isNaN(spread.median)) return {};
  return { [name]: { median: number(spread.median), worst: number(spread.worst) } };
}

const phaseJson = (phase: Phase) => ({
  ...numbers("delayP50Milliseconds", phase.p50),
  ...numbers("delayP95Milliseconds", phase.p95),
  ...numbers("delayP99Milliseconds", phase.p99),
  ...numbers("delayMaxMilliseconds", phase.max),
  ...numbers("above15Share", phase.above15),
  ...numbers("above30Share", phase.above30),
  ...numbers("above100Share", phase.above100),
  ...numbers("lostShare", phase.lost),
  ...numbers("throughputBitsPerSecond", phase.throughput, 1000),
  ...numbers("usedShare", phase.used),
  ...numbers("changesPerMinute", phase.changes),
  ...numbers("stepShare", phase.step),
  ...numbers("minimumTicks", phase.minimumTicks),
  ...numbers("minimumSeconds", phase.minimumSeconds),
});

const figuresJson = ({ phases, settled, recovered }: JoinedFigures) => ({
  ...numbers("settledSeconds", settled),
  ...numbers("recoveredSeconds", recovered),
  phases: Object.fromEntries(Object.entries(phases).map(([name, phase]) => [name, phaseJson(phase)])),
});

async function simulate(this: CliContext, flags: Flags): Promise<void> {
  const { planSimulation, simulateLines } = await import("../../../control/autorate/simulate.ts");
  const { controller: controllers = [], scenario: scenarios = [], seeds } = flags;
  const simulation = planSimulation({ controllers, scenarios, seeds });
  const made: SimulatedScenario[] = [];
  for await (const scenario of simulateLines(simulation, this.signal)) made.push(scenario);
  const whole = made.length === simulation.scenarios.length;
  if (!whole) this.process.exitCode = EXIT.interrupted;
  if (flags.json) {
    const rows = made.map(({ name, direction, controllers: all }) => ({
      scenario: name,
      direction,
      controllers: all.map(({ label, figures }) => ({ controller: label, ...figuresJson(figures) })),
    }));
    return answerJson(this, { schema: "sluice/autorate-simulation/1", seeds, complete: whole, scenarios: rows });
  }
  if (made.length > 0) {
    answer(this, simulationTable(made, this.process.stdout).join("\n"));
    for (const line of SIMULATION_LEGEND) note(this, line);
  }
  return whole
    ? undefined
    : note(this, `Interrupted after ${made.length} of ${simulation.scenarios.length} scenarios.`);
}

/** Runs the command. */
export default reporting(simulate);
