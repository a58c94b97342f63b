import assert from "node:assert/strict";
import { test } from "node:test";
import type { PhaseFigures, RunFigures } from "../../src/autorate/figures/figures.ts";
import type { ControllerName } from "./controllers.ts";
import type { Outcome } from "./run.ts";
import type { ScenarioName } from "./scenarios.ts";
import { cellOf, type Cells, formatSpread, scenarioTable } from "./table.ts";
import { wanted } from "./wanted.ts";

const QUIET: PhaseFigures = {
  p50: 1,
  p95: 5,
  p99: 9,
  max: 12,
  above15: 0,
  above30: 0,
  above100: 0,
  lost: 0,
  throughput: 16_000,
  used: 0.8,
  changes: 60,
  step: 0.05,
  minimumTicks: 0,
  minimumSeconds: 0,
};

function outcome(controller: ControllerName, settled: number, change: Partial<PhaseFigures> = {}): Outcome {
  const phase = { ...QUIET, ...change };
  const figures: RunFigures = {
    phases: { idle: phase, steady: phase, loaded: phase },
    settled,
    recovered: 2,
  };
  return { scenario: "download", controller, seed: 1, figures: { download: figures, upload: figures } };
}

const cells = (scenario: ScenarioName, ...outcomes: readonly Outcome[]): Cells =>
  new Map([
    [
      scenario,
      new Map(
        (["none", "ewma", "sluice"] as const).flatMap((name) => {
          const own = outcomes.filter(({ controller }) => controller === name);
          return own.length > 0 ? [[name, cellOf(own)] as const] : [];
        }),
      ),
    ],
  ]);

const verdicts = (found: Cells): Record<string, boolean | undefined> =>
  Object.fromEntries(wanted(found).map(({ what, met }) => [what, met]));

test("times are judged by their median, and said with their worst", () => {
  const found = cells("upload-udp", outcome("sluice", 1.5), outcome("sluice", 9), outcome("sluice", 1.9));
  const bound = wanted(found).find(({ what }) => what.startsWith("upload-udp: settled"))!;
  assert.deepEqual([bound.numbers, bound.met], ["1.9 s (9.0 s)", true]);
  const never = cells("upload-udp", outcome("sluice", Infinity));
  const bad = wanted(never).find(({ what }) => what.startsWith("upload-udp: settled"))!;
  assert.deepEqual([bad.numbers, bad.met], ["never", false]);
});

test("ours is measured by ewma's medians", () => {
  assert.deepEqual(
    verdicts(cells("outage", outcome("sluice", 1, { p95: 5.1, throughput: 16_000 }), outcome("ewma", 1))),
    {
      "outage: p95 of the delay no worse than ewma's": false,
      "outage: carries at least as much as ewma when steady": true,
    },
  );
  assert.deepEqual(verdicts(cells("outage", outcome("sluice", 1))), {}, "nothing to compare with");
});

test("one look at the minimum in one run is too many", () => {
  const good = cells("spikes", outcome("sluice", 1), outcome("sluice", 1));
  assert.deepEqual(verdicts(good), { "spikes on an idle line: never at the minimum": true });
  const bad = cells("spikes", outcome("sluice", 1), outcome("sluice", 1, { minimumTicks: 1 }));
  assert.deepEqual(verdicts(bad), { "spikes on an idle line: never at the minimum": false });
});

test("a table has a column for each controller, and only lines that say something", () => {
  const own = cells("download", outcome("none", Infinity, { changes: Number.NaN }), outcome("ewma", 3)).get(
    "download",
  )!;
  const table = scenarioTable(own, { direction: "download", loaded: true });
  assert.deepEqual(table[0], ["", "none", "ewma"]);
  const line = (what: string): string[] | undefined => table.find(([first]) => first === what)?.slice(1);
  assert.deepEqual(line("drop: settled after, s"), ["never", "3.0"]);
  assert.deepEqual(line("carried, steady, Mbit/s"), ["16.00", "16.00"]);
  assert.deepEqual(line("changes of the rate a minute, steady"), ["", "60"]);
  assert.equal(line("resident, MiB"), undefined, "no daemon ran");
});

test("a spread is said without a sign where there is nothing", () => {
  const one = (value: number): string => value.toFixed(1);
  const percent = (value: number): string => `${value.toFixed(1)} %`;
  assert.equal(formatSpread({ median: -0.04, worst: -0.06 }, 2, one), "0.0 (-0.1)");
  assert.equal(formatSpread({ median: -0.01, worst: 3 }, 1, percent), "0.0 %");
  assert.equal(formatSpread({ median: Infinity, worst: Infinity }, 3, one), "never (never)");
  assert.equal(formatSpread({ median: NaN, worst: NaN }, 3, one), "");
});
