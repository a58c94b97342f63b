import assert from "node:assert/strict";
import { test } from "node:test";
import type { PhaseFigures, RunFigures } from "./figures.ts";
import { joinFigures, spreadOf } from "./join.ts";

test("the worst is the end that hurts", () => {
  assert.deepEqual(spreadOf([3, 1, 2], "high"), { median: 2, worst: 3 });
  assert.deepEqual(spreadOf([3, 1, 2, 4], "low"), { median: 2.5, worst: 1 });
});

test("never is the highest, and nothing is left out", () => {
  assert.deepEqual(spreadOf([Infinity, 1, 2], "high"), { median: 2, worst: Infinity });
  assert.deepEqual(spreadOf([Infinity, Infinity, 2, 1], "high"), { median: Infinity, worst: Infinity });
  assert.deepEqual(spreadOf([Infinity, Infinity, Infinity, Infinity], "high"), { median: Infinity, worst: Infinity });
  assert.deepEqual(spreadOf([Number.NaN, 5], "high"), { median: 5, worst: 5 });
  assert.deepEqual(spreadOf([Number.NaN], "high"), { median: NaN, worst: NaN });
});

const ZERO: PhaseFigures = {
  p50: 0,
  p95: 0,
  p99: 0,
  max: 0,
  above15: 0,
  above30: 0,
  above100: 0,
  lost: 0,
  throughput: 0,
  used: 0,
  changes: 0,
  step: 0,
  minimumTicks: 0,
  minimumSeconds: 0,
};
const run = (p95: number, used: number, settled: number): RunFigures => ({
  phases: { steady: { ...ZERO, p95, used } },
  settled,
  recovered: Number.NaN,
});

test("runs are joined figure by figure", () => {
  const idle: RunFigures = { phases: { idle: { ...ZERO, max: 7 } }, settled: Number.NaN, recovered: Number.NaN };
  const joined = joinFigures([run(10, 0.9, 1), run(30, 0.8, Infinity), run(20, 0.95, 2), idle]);
  assert.equal(joined.runs, 4);
  assert.deepEqual(joined.phases.steady!.p95, { median: 20, worst: 30 });
  assert.deepEqual(joined.phases.steady!.used, { median: 0.9, worst: 0.8 });
  assert.deepEqual(joined.phases.idle!.max, { median: 7, worst: 7 });
  assert.equal(joined.phases.low, undefined);
  assert.deepEqual(joined.settled, { median: 2, worst: Infinity });
  assert.deepEqual(joined.recovered, { median: NaN, worst: NaN });
});
