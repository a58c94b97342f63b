/** What is wanted of our own controller, and whether it was met. */
import { type Spread, spreadOf } from "../../src/autorate/figures/join.ts";
import { DIRECTIONS, type Direction } from "../../src/core/both.ts";
import type { Bound } from "../report.ts";
import { type Cell, type Cells, formatSpread } from "./table.ts";
import type { ScenarioName } from "./scenarios.ts";

const OURS = "sluice";
const PEER = "ewma";
/** Upload: settled so soon after a drop, s. */
const SETTLED = 2;
/** Download: 80 % so soon after a rise, s. */
const RECOVERED = 3;

const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** A time in the median. */
function within(
  cells: Cells,
  scenario: ScenarioName,
  what: string,
  limit: number,
  pick: (cell: Cell) => Spread,
): Bound {
  const cell = cells.get(scenario)?.get(OURS);
  if (!cell) return { what, numbers: "", met: undefined };
  const spread = pick(cell);
  return { what, numbers: formatSpread(spread, cell.runs, seconds), met: spread.median <= limit };
}

/** Ours beside the peer's, by their medians. */
function beside(
  cells: Cells,
  scenario: ScenarioName,
  what: string,
  good: (ours: number, peer: number) => boolean,
  pick: (cell: Cell) => Spread | undefined,
  format: (value: number) => string,
): Bound {
  const ours = cells.get(scenario)?.get(OURS);
  const peer = cells.get(scenario)?.get(PEER);
  const [mine, its] = [ours && pick(ours), peer && pick(peer)];
  if (!mine || !its) return { what, numbers: "", met: undefined };
  const numbers = `${formatSpread(mine, ours!.runs, format)}, ${PEER} ${formatSpread(its, peer!.runs, format)}`;
  return { what, numbers, met: good(mine.median, its.median) };
}

const LOADS: readonly (readonly [ScenarioName, Direction])[] = [
  ["download", "download"],
  ["upload-udp", "upload"],
  ["upload-tcp", "upload"],
  ["outage", "download"],
  ["both", "download"],
  ["wavering", "download"],
  ["silence", "download"],
];

/** Never at the minimum, in any run. */
function neverAtMinimum(cells: Cells): Bound {
  const what = "spikes on an idle line: never at the minimum";
  const cell = cells.get("spikes")?.get(OURS);
  if (!cell) return { what, numbers: "", met: undefined };
  const counts = DIRECTIONS.map((direction) => cell.figures[direction].phases.idle?.minimumTicks.worst ?? Number.NaN);
  const { worst } = spreadOf(counts, "high");
  return { what, numbers: `${worst} looks`, met: worst === 0 };
}

/** All that is wanted and was measured. */
export function wanted(cells: Cells): Bound[] {
  return all(cells).filter(({ met }) => met !== undefined);
}

function all(cells: Cells): Bound[] {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const mbit = (value: number): string => `${(value / 1000).toFixed(2)} Mbit/s`;
  const p95 = ([scenario, direction]: (typeof LOADS)[number]): Bound =>
    beside(
      cells,
      scenario,
      `${scenario}: p95 of the delay no worse than ${PEER}'s`,
      (ours, peer) => ours <= peer,
      (cell) => cell.figures[direction].phases.loaded?.p95,
      ms,
    );
  const steady = ([scenario, direction]: (typeof LOADS)[number]): Bound =>
    beside(
      cells,
      scenario,
      `${scenario}: carries at least as much as ${PEER} when steady`,
      (ours, peer) => ours >= peer,
      (cell) => cell.figures[direction].phases.steady?.throughput,
      mbit,
    );
  return [
    ...(["upload-udp", "upload-tcp"] as const).map((scenario) =>
      within(
        cells,
        scenario,
        `${scenario}: settled within ${SETTLED} s after a drop`,
        SETTLED,
        (cell) => cell.figures.upload.settled,
      ),
    ),
    within(
      cells,
      "download",
      `download: 80 % within ${RECOVERED} s after a rise`,
      RECOVERED,
      (cell) => cell.figures.download.recovered,
    ),
    ...LOADS.map((load) => p95(load)),
    ...LOADS.map((load) => steady(load)),
    neverAtMinimum(cells),
  ];
}
