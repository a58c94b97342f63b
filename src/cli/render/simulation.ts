/** What came of simulated lines as one table: medians over the seeds, the worst of them in parentheses. */
import type { JoinedFigures, SimulatedScenario, Spread } from "../../control/autorate/simulate.ts";
import type { Output } from "../context.ts";
import { type Column, table } from "./table.ts";

/** A line of it. */
interface Row {
  readonly scenario: string;
  readonly label: string;
  readonly figures: JoinedFigures;
}

type Pick = (figures: JoinedFigures) => Spread | undefined;
type Format = (value: number) => string;

const whole: Format = (value) => value.toFixed(0).replace(/^-0$/, "0");
const tenths: Format = (value) => value.toFixed(1);
const percent: Format = (value) => (100 * value).toFixed(0);

function cell(spread: Spread | undefined, runs: number, format: Format): string {
  const say = (value: number): string => (Number.isFinite(value) ? format(value) : "never");
  // A line that carries nothing for a while has no share that is used.
  if (!spread || Number.isNaN(spread.median)) return "";
  return runs === 1 ? say(spread.median) : `${say(spread.median)} (${say(spread.worst)})`;
}

const numbers = (title: string, pick: Pick, format: Format): Column<Row> => ({
  title,
  align: "right",
  cell: ({ figures }) => cell(pick(figures), figures.runs, format),
});

/** Of the loads, or of the whole run when nothing is sent. */
const whatever = ({ phases }: JoinedFigures) => phases.loaded ?? phases.idle;

const COLUMNS: readonly Column<Row>[] = [
  { title: "SCENARIO", cell: ({ scenario }) => scenario },
  { title: "CONTROLLER", cell: ({ label }) => label },
  numbers("STEADY MS", ({ phases }) => phases.steady?.p95, whole),
  numbers("DROP MS", ({ phases }) => phases.drop?.p95, whole),
  numbers("LOW MS", ({ phases }) => phases.low?.p95, whole),
  numbers("ALL MS", (figures) => whatever(figures)?.p95, whole),
  numbers("STEADY %", ({ phases }) => phases.steady?.used, percent),
  numbers("LOW %", ({ phases }) => phases.low?.used, percent),
  numbers("RISE %", ({ phases }) => phases.rise?.used, percent),
  numbers("SETTLED S", ({ settled }) => settled, tenths),
  numbers("80 % S", ({ recovered }) => recovered, tenths),
  numbers("MINIMUM S", (figures) => whatever(figures)?.minimumSeconds, tenths),
];

/** What the columns are, for whoever reads the table first. */
export const SIMULATION_LEGEND = [
  "Median (worst) of all seeds. MS: what 95 % of the probes stayed below, over idle, in milliseconds. %: carried, of what the line can.",
  "SETTLED: after a drop, until the delay stays below 30 ms. 80 %: after a rise, until so much of the line is used. MINIMUM: time at it.",
] as const;

/** The lines of the table. */
export function simulationTable(scenarios: readonly SimulatedScenario[], output: Output): string[] {
  const rows = scenarios.flatMap(({ name, controllers }) =>
    controllers.map(({ label, figures }): Row => ({ scenario: name, label, figures })),
  );
  const used = COLUMNS.filter((column) => rows.some((row) => column.cell(row) !== ""));
  return table(rows, used, output);
}
