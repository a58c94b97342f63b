import assert from "node:assert/strict";
import { test } from "node:test";
import { phasesOf } from "./phases.ts";
import { recovered, recoveredAfter, settled, settledAfter } from "./reaction.ts";
import type { RunSeries, Series } from "./series.ts";

/** An entry each 50 ms (or what is given), with what a function says of its time. */
function series(to: number, value: (t: number) => number, gap = 0.05): Series {
  const at = Array.from({ length: Math.round(to / gap) }, (_, i) => Math.round(i * gap * 1000) / 1000);
  return { at, value: at.map((t) => value(t)) };
}

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

test("settled is the beginning of the first two seconds below +30 ms", () => {
  near(
    settledAfter(
      series(70, (t) => (t >= 30 && t < 34 ? 500 : 5)),
      1,
      { from: 30, to: 50 },
    ),
    4,
  );
});

test("a peak within the two seconds begins them anew", () => {
  const peak = (t: number): number => ((t >= 30 && t < 31) || (t >= 32.5 && t < 32.6) ? 40 : 5);
  near(settledAfter(series(70, peak), 1, { from: 30, to: 50 }), 2.6);
  near(settledAfter(series(70, peak), 10, { from: 30, to: 50 }), 2.6);
  near(settledAfter(series(70, peak), 11, { from: 30, to: 50 }), 0);
});

test("a lost probe is no settled one", () => {
  const lost = (t: number): number => (t >= 30 && t < 33 ? Number.NaN : 5);
  near(settledAfter(series(70, lost), 1, { from: 30, to: 50 }), 3);
});

test("who has not been seen settled for two seconds never was", () => {
  const late = (t: number): number => (t >= 30 && t < 48.5 ? 500 : 5);
  assert.equal(settledAfter(series(70, late), 1, { from: 30, to: 50 }), Infinity);
  near(settledAfter(series(70, late), 1, { from: 30, to: 70 }), 18.5);
  assert.equal(
    settledAfter(
      series(70, () => 500),
      1,
      { from: 30, to: 50 },
    ),
    Infinity,
  );
  assert.equal(settledAfter({ at: [], value: [] }, 1, { from: 30, to: 50 }), Infinity);
});

test("recovered is the end of the first second with 80 % of the capacity", () => {
  const step = series(70, (t) => (t > 53 ? 16 : 8), 0.1);
  near(recoveredAfter(step, 20, { from: 50, to: 70 }), 4);
  assert.equal(recoveredAfter(step, 20.1, { from: 50, to: 70 }), Infinity);
  near(recoveredAfter(step, 20, { from: 60, to: 70 }), 1);
});

test("a short burst is no recovery", () => {
  const burst = series(70, (t) => (t > 51 && t <= 51.5 ? 20 : 8), 0.1);
  assert.equal(recoveredAfter(burst, 20, { from: 50, to: 70 }), Infinity);
});

test("an average that reaches out of the second counts with its part inside", () => {
  // Ends at 50.0, 50.7, 51.4 ...: the second that ends at 51.4 has 0.3 s of the first one in it.
  const coarse: Series = { at: [49.3, 50, 50.7, 51.4], value: [0, 0, 0, 20] };
  assert.equal(recoveredAfter(coarse, 20, { from: 50, to: 60 }), Infinity);
  near(recoveredAfter(coarse, 17, { from: 50, to: 60 }), 1.4);
});

function run(probes: Series, throughput: Series, capacity: Series, loads = [{ from: 5, to: 70 }]): RunSeries {
  const phases = phasesOf({ capacity, loads, end: 75 });
  return { probes, idle: 1, throughput, rates: { at: [], value: [] }, capacity, minimum: 1, phases };
}

test("a run waits longest for its worst change", () => {
  const capacity = { at: [0, 20, 30, 40, 50], value: [20, 8, 20, 8, 20] };
  const probes = series(75, (t) => ((t >= 20 && t < 21) || (t >= 40 && t < 43) ? 500 : 5));
  const throughput = series(75, (t) => (t > 34 && t < 40 ? 20 : t > 51 ? 20 : 8), 0.1);
  near(settled(run(probes, throughput, capacity)), 3);
  near(recovered(run(probes, throughput, capacity)), 4.7);
});

test("a wait for delay goes on over a rise, and ends with the load", () => {
  const capacity = { at: [0, 20, 21], value: [20, 1, 20] };
  const probes = series(75, (t) => (t >= 20 && t < 22 ? 500 : 5));
  near(
    settled(
      run(
        probes,
        series(75, () => 20, 0.1),
        capacity,
      ),
    ),
    2,
  );
  const short = [{ from: 5, to: 23.9 }];
  assert.equal(
    settled(
      run(
        probes,
        series(75, () => 20, 0.1),
        capacity,
        short,
      ),
    ),
    Infinity,
  );
});

test("without a change there is no wait", () => {
  const still = run(
    series(75, () => 5),
    series(75, () => 20),
    { at: [0], value: [20] },
  );
  assert.ok(Number.isNaN(settled(still)));
  assert.ok(Number.isNaN(recovered(still)));
});
