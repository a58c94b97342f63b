import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf } from "./figures.ts";
import { phasesOf } from "./phases.ts";
import type { RunSeries } from "./series.ts";

const CAPACITY = { at: [0, 30, 50], value: [20_000, 8000, 20_000] };
const PHASES_70 = phasesOf({ capacity: CAPACITY, loads: [{ from: 5, to: 70 }], end: 70 });

/** 70 s: probes of 1 ms at 20 Hz, 90 % of the capacity carried, no shaper. */
function seventySeconds(change: Partial<RunSeries> = {}): RunSeries {
  const probes = Array.from({ length: 1400 }, (_, i) => i / 20);
  const ticks = Array.from({ length: 701 }, (_, i) => i / 10);
  const carried = ticks.map((t) => (t <= 5 ? 0 : t > 30 && t <= 50 ? 7200 : 18_000));
  return {
    probes: { at: probes, value: probes.map(() => 1) },
    idle: 1,
    throughput: { at: ticks, value: carried },
    rates: { at: [], value: [] },
    capacity: CAPACITY,
    minimum: 4000,
    phases: PHASES_70,
    ...change,
  };
}

test("a run without delay has no delay in any phase", () => {
  const { phases, settled } = figuresOf(seventySeconds());
  assert.deepEqual(Object.keys(phases), ["idle", "start", "steady", "drop", "low", "rise", "loaded"]);
  for (const { p50, p95, p99, max, above15, lost } of Object.values(phases))
    assert.deepEqual([p50, p95, p99, max, above15, lost], [0, 0, 0, 0, 0, 0]);
  assert.equal(settled, 0);
});

test("delays are nearest ranks over idle, phase by phase", () => {
  // Steady: 400 probes of 1, 2, ... 400 ms.
  const { probes } = seventySeconds();
  const value = Array.from(probes.at, (t) => (t >= 10 && t < 30 ? Math.round((t - 10) * 20) + 1 : 1));
  const { steady, drop, loaded } = figuresOf(seventySeconds({ probes: { at: probes.at, value }, idle: 0 })).phases;
  assert.deepEqual([steady!.p50, steady!.p95, steady!.p99, steady!.max], [200, 380, 396, 400]);
  assert.deepEqual([steady!.above15, steady!.above30, steady!.above100], [385 / 400, 370 / 400, 300 / 400]);
  assert.equal(drop!.max, 1);
  assert.equal(loaded!.max, 400);
  assert.equal(loaded!.p50, 1);
});

test("a lost probe is in no quantile, but it is above every bound", () => {
  const { probes } = seventySeconds();
  const value = Array.from(probes.at, (t) => (t >= 30 && t < 31 ? Number.NaN : 1));
  const { drop, low } = figuresOf(seventySeconds({ probes: { at: probes.at, value } })).phases;
  assert.deepEqual([drop!.lost, drop!.above100, drop!.max], [0.5, 0.5, 0]);
  assert.equal(low!.lost, 0);
  const none = figuresOf(seventySeconds({ probes: { at: probes.at, value: value.map(() => Number.NaN) } }));
  assert.equal(none.phases.low!.lost, 1);
  assert.ok(Number.isNaN(none.phases.low!.p95));
  assert.equal(none.settled, Infinity);
});

test("throughput is beside what the line could carry", () => {
  const { phases, recovered } = figuresOf(seventySeconds());
  const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual / expected - 1) < 1e-9);
  for (const name of ["steady", "low", "rise"] as const) close(phases[name]!.used, 0.9);
  close(phases.low!.throughput, 7200);
  close(phases.loaded!.throughput, (25 * 18_000 + 20 * 7200 + 20 * 18_000) / 65);
  assert.equal(phases.idle!.throughput, 0);
  close(recovered, 1);
});

test("a run without a shaper is neither restless nor at the minimum", () => {
  const { changes, step, minimumTicks, minimumSeconds } = figuresOf(seventySeconds()).phases.steady!;
  assert.deepEqual([changes, step, minimumTicks, minimumSeconds], [NaN, NaN, NaN, NaN]);
});

test("changes are counted in the phase in which they are made, with how far they go", () => {
  const rates = { at: [0, 8, 12, 16, 20, 24, 40], value: [20_000, 10_000, 10_000, 20_000, 15_000, 15_000, 4001] };
  const { start, steady, low, rise } = figuresOf(seventySeconds({ rates })).phases;
  assert.deepEqual([start!.changes, start!.step], [12, 0.5]);
  assert.deepEqual([steady!.changes, steady!.step], [6, (1 + 0.25) / 2]);
  assert.deepEqual([low!.minimumTicks, low!.minimumSeconds], [1, 10]);
  assert.deepEqual([rise!.minimumTicks, rise!.minimumSeconds, rise!.changes], [0, 20, 0], "it goes on at the minimum");
  assert.ok(Number.isNaN(rise!.step));
});

test("ticks at the minimum of an idle line", () => {
  const at = Array.from({ length: 140 }, (_, i) => i / 2);
  const value = at.map((t) => (t >= 20 && t < 23 ? 4000 : 12_000));
  const phases = phasesOf({ capacity: CAPACITY, loads: [], end: 70 });
  const { idle } = figuresOf(seventySeconds({ rates: { at, value }, phases })).phases;
  assert.deepEqual([idle!.minimumTicks, idle!.minimumSeconds], [6, 3]);
});

test("typed arrays do as well, cut to what is filled", () => {
  const columns = (from: ArrayLike<number>): Float64Array => {
    const room = new Float64Array(4096);
    room.set(from);
    return room.subarray(0, from.length);
  };
  const run = seventySeconds();
  const { probes, throughput } = run;
  const typed = {
    ...run,
    probes: { at: columns(probes.at), value: columns(probes.value) },
    throughput: { at: columns(throughput.at), value: columns(throughput.value) },
  };
  assert.deepEqual(figuresOf(typed), figuresOf(run));
});

test("a run of no length has no figures", () => {
  const none = { at: [], value: [] };
  const empty = figuresOf({ ...seventySeconds(), probes: none, throughput: none, phases: [] });
  assert.deepEqual(empty, { phases: {}, settled: NaN, recovered: NaN });
});
