import assert from "node:assert/strict";
import { test } from "node:test";
import { record, type Recorded, scenarioOf } from "../../../test/helpers/recorded-run.ts";
import { both, DIRECTIONS } from "../../core/both.ts";
import { type Controller, driverOf } from "../controllers/controller.ts";
import { cake, CAKE_DEFAULTS } from "../controllers/cake.ts";
import { ewma, EWMA_DEFAULTS } from "../controllers/ewma.ts";
import { SLUICE_DEFAULTS } from "../controllers/sluice/options.ts";
import { sluice } from "../controllers/sluice/sluice.ts";
import { seeded } from "../simulation/random.ts";
import { replay, replaySetup, type ReplayTick } from "./replay.ts";
import { readTrace, traceLine, type TraceRun } from "./trace.ts";

/** Through text and back. */
function runOf({ header, ticks }: Recorded): TraceRun {
  const trace = readTrace([header, ...ticks].map((line) => traceLine(line)).join("\n"));
  if ("reason" in trace) assert.fail(trace.reason);
  assert.equal(trace.runs.length, 1);
  return trace.runs[0]!;
}
const over = (run: TraceRun, controller: Controller<unknown>, own = false): Promise<ReplayTick[]> =>
  replay(run, driverOf(controller, replaySetup(run), seeded(7)), own);

/** Without anything of chance in it. */
const CONTROLLERS: Readonly<Record<string, Controller<unknown>>> = {
  sluice: sluice(SLUICE_DEFAULTS),
  cake: cake(CAKE_DEFAULTS),
};

for (const [name, controller] of Object.entries(CONTROLLERS))
  for (const scenario of ["download", "both", "outage", "half-lying"])
    test(`${name} decides the same over its own trace: ${scenario}`, async () => {
      const recorded = record(scenarioOf(scenario, 3), controller);
      for (const own of [false, true]) {
        const made = await over(runOf(recorded), controller, own);
        assert.equal(made.length, recorded.ticks.length);
        for (const [index, { decision, rates, recorded: before }] of made.entries()) {
          assert.deepEqual(decision, recorded.ticks[index]!.decision, `tick ${index}`);
          assert.deepEqual(rates, before);
        }
      }
    });

test("another controller decides otherwise, and goes on from its own rates when it is told to", async () => {
  const run = runOf(record(scenarioOf("download"), CONTROLLERS["sluice"]!));
  const other = ewma(EWMA_DEFAULTS);
  const [told, own] = [await over(run, other), await over(run, other, true)];
  assert.ok(told.some(({ rates, recorded }) => DIRECTIONS.some((d) => rates[d] !== recorded[d])));
  assert.ok(told.some(({ rates }, i) => rates.download !== own[i]!.rates.download));
  assert.equal(told.at(0)!.at, 0);
  assert.ok(Math.abs(told.at(-1)!.at - 70) < 0.3);
  const { min, max } = run.ticks[0]!.input.directions.download.bounds;
  assert.ok(own.every(({ rates }) => rates.download >= Math.floor(min) && rates.download <= max));
});

test("where the link did not ask its controller, nobody asks this one", async () => {
  const recorded = record(scenarioOf("download"), CONTROLLERS["sluice"]!);
  const silent = (index: number): boolean => index >= 100 && index < 150;
  const ticks = recorded.ticks.map((tick, index) => (silent(index) ? { ...tick, state: "stalled" as const } : tick));
  const made = await over(runOf({ ...recorded, ticks }), CONTROLLERS["sluice"]!);
  assert.equal(made.length, ticks.length - 50);
});

test("a trace that begins in the middle goes on from the rates that were set then", async () => {
  const recorded = record(scenarioOf("download"), CONTROLLERS["sluice"]!);
  const run = runOf({ ...recorded, ticks: recorded.ticks.slice(300) });
  const setup = replaySetup(run);
  const { input } = recorded.ticks[300]!;
  assert.deepEqual(
    setup.start,
    both((d) => input!.directions[d].rate),
  );
  assert.notDeepEqual(setup.start, recorded.header.start);
  assert.equal(setup.now, input!.now - input!.elapsed);
  const before = recorded.ticks[299]!.input!.directions.download.bytes;
  assert.ok(Math.abs(setup.bytes.download - before) <= 1, "and from the counters of the tick before");
  assert.equal((await over(run, CONTROLLERS["sluice"]!)).length, recorded.ticks.length - 300);
});

test("a direction that is not there has no load", async () => {
  const { header, ticks } = record(scenarioOf("download"), CONTROLLERS["sluice"]!);
  const bounds = { min: 0, base: 1, max: Number.POSITIVE_INFINITY };
  const without = ticks.slice(0, 50).map((tick) => {
    const { directions } = tick.input!;
    const upload = { ...directions.upload, bounds, rate: 0, achieved: 0, load: 0, bytes: 0 };
    return { ...tick, input: { ...tick.input!, directions: { ...directions, upload } } };
  });
  const loads: number[] = [];
  const listener: Controller<undefined> = {
    name: "listener",
    period: 0.1,
    init: () => undefined,
    step(state, { directions }) {
      loads.push(directions.upload.load);
      return { state, decision: { download: { rate: 5000, branch: "test" }, upload: { rate: 0, branch: "test" } } };
    },
  };
  await over(runOf({ header, ticks: without }), listener, true);
  assert.deepEqual(loads, Array<number>(50).fill(0));
});
