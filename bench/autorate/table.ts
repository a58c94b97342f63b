/** The outcomes of a scenario as a table: a column for each controller, median and worst over the seeds. */
import type { PhaseFigures } from "../../src/autorate/figures/figures.ts";
import { joinFigures, type JoinedFigures, type Spread, spreadOf } from "../../src/autorate/figures/join.ts";
import type { PhaseName } from "../../src/autorate/figures/phases.ts";
import type { Both } from "../../src/core/both.ts";
import type { ControllerName } from "./controllers.ts";
import type { Outcome } from "./run.ts";
import type { ScenarioName } from "./scenarios.ts";

/** All runs of one controller in one scenario. */
export interface Cell {
  readonly runs: number;
  readonly figures: Both<JoinedFigures>;
  /** Milliseconds of processor time per second, MiB, probes per second; NaN without a daemon. */
  readonly cpu: Spread;
  readonly resident: Spread;
  readonly probes: Spread;
}

/** What a table says of a run. */
type Seen = Pick<Outcome, "figures" | "use" | "probesPerSecond">;

/** Joins the runs of one controller in one scenario. */
export function cellOf(outcomes: readonly Seen[]): Cell {
  const spread = (pick: (outcome: Seen) => number | undefined): Spread =>
    spreadOf(
      outcomes.map((outcome) => pick(outcome) ?? Number.NaN),
      "high",
    );
  return {
    runs: outcomes.length,
    figures: {
      download: joinFigures(outcomes.map(({ figures }) => figures.download)),
      upload: joinFigures(outcomes.map(({ figures }) => figures.upload)),
    },
    cpu: spread(({ use }) => (use?.cpu ?? Number.NaN) * 1000),
    resident: spread(({ use }) => (use?.resident ?? Number.NaN) / 2 ** 20),
    probes: spread(({ probesPerSecond }) => probesPerSecond),
  };
}

/** Cells by scenario and controller. */
export type Cells = ReadonlyMap<ScenarioName, ReadonlyMap<ControllerName, Cell>>;

type Phase = PhaseName | "loaded";

/** A line of the table. */
interface Line {
  readonly what: string;
  readonly pick: (cell: Cell, joined: JoinedFigures) => Spread | undefined;
  readonly format: (value: number) => string;
}

const one = (value: number): string => value.toFixed(1);
const whole = (value: number): string => value.toFixed(0);
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
const mbit = (value: number): string => (value / 1000).toFixed(2);

const line = (what: string, phase: Phase, key: keyof PhaseFigures, format: Line["format"]): Line => ({
  what,
  pick: (_, joined) => joined.phases[phase]?.[key],
  format,
});

const delay = (name: string, phase: Phase, keys: readonly ("p50" | "p95" | "p99" | "max")[]): Line[] =>
  keys.map((key) => line(`delay, ${name}: ${key}, ms`, phase, key, one));

const COST: readonly Line[] = [
  { what: "processor time, ms per s", pick: (cell) => cell.cpu, format: one },
  { what: "resident, MiB", pick: (cell) => cell.resident, format: one },
  { what: "probes sent per s", pick: (cell) => cell.probes, format: one },
];

const LOADED: readonly Line[] = [
  ...delay("steady", "steady", ["p50", "p95", "p99", "max"]),
  ...delay("2 s after the drop", "drop", ["p95", "max"]),
  ...delay("low", "low", ["p50", "p95", "p99"]),
  ...delay("after the rise", "rise", ["p50", "p95"]),
  ...delay("all of the load", "loaded", ["p50", "p95", "p99"]),
  line("more than 15 ms, all of the load", "loaded", "above15", percent),
  line("more than 30 ms, all of the load", "loaded", "above30", percent),
  line("more than 100 ms, all of the load", "loaded", "above100", percent),
  line("probes lost, all of the load", "loaded", "lost", percent),
  line("carried, steady, Mbit/s", "steady", "throughput", mbit),
  line("carried, steady, of what the line can", "steady", "used", percent),
  line("carried, low, Mbit/s", "low", "throughput", mbit),
  line("carried, low, of what the line can", "low", "used", percent),
  line("carried, after the rise, Mbit/s", "rise", "throughput", mbit),
  line("carried, after the rise, of what the line can", "rise", "used", percent),
  { what: "drop: settled after, s", pick: (_, joined) => joined.settled, format: one },
  { what: "rise: 80 % after, s", pick: (_, joined) => joined.recovered, format: one },
  line("changes of the rate a minute, steady", "steady", "changes", whole),
  line("mean step, steady", "steady", "step", percent),
  line("changes of the rate a minute, low", "low", "changes", whole),
  line("at the minimum, s", "loaded", "minimumSeconds", one),
  ...COST,
];

const IDLE: readonly Line[] = [
  ...delay("felt", "idle", ["p50", "p95", "p99", "max"]),
  line("changes of the download rate a minute", "idle", "changes", whole),
  line("mean step", "idle", "step", percent),
  line("looks at the minimum, download", "idle", "minimumTicks", whole),
  {
    what: "looks at the minimum, upload",
    pick: (cell) => cell.figures.upload.phases.idle?.minimumTicks,
    format: whole,
  },
  ...COST,
];

/** A figure in words: `1.2 (3.4)`, median and worst; one number when there was one run. */
export function formatSpread(spread: Spread | undefined, runs: number, format: (value: number) => string): string {
  const say = (value: number): string =>
    value === Infinity ? "never" : format(value).replace(/^-(?=[0.]+(?: |$))/, "");
  if (!spread || Number.isNaN(spread.median)) return "";
  return runs === 1 ? say(spread.median) : `${say(spread.median)} (${say(spread.worst)})`;
}

/** The table of a scenario; lines that say nothing of any controller are left out. */
export function scenarioTable(
  cells: ReadonlyMap<string, Cell>,
  about: { readonly direction: keyof Both<unknown>; readonly loaded: boolean },
): string[][] {
  const columns = [...cells.values()];
  const body = (about.loaded ? LOADED : IDLE).map(({ what, pick, format }) => [
    what,
    ...columns.map((cell) => formatSpread(pick(cell, cell.figures[about.direction]), cell.runs, format)),
  ]);
  return [["", ...cells.keys()], ...body.filter((row) => row.slice(1).some((text) => text !== ""))];
}
