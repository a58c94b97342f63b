import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS } from "./model.ts";
import { type Counts, countsOf, Speeds } from "./totals.ts";

test("a slot's counters are the sum of what the planes counted", () => {
  const user = new Float64Array(2 * COUNTERS.length);
  const kernel = new Float64Array(2 * COUNTERS.length);
  user.set([1, 100, 2], COUNTERS.length);
  kernel.set([10, 1000, 0, 3], COUNTERS.length);
  const { packets, bytes, sendErrors, tooLarge, capped, shed } = countsOf(1, [user, kernel]);
  assert.deepEqual([packets, bytes, sendErrors, tooLarge, capped, shed], [11, 1100, 2, 3, 0, 0]);
  assert.equal(countsOf(7, [user]).packets, 0, "nothing was counted there yet");
});

test("speeds are those between two samples; what began anew stands still once", () => {
  const counted = (packets: number): ReadonlyMap<number, Counts> =>
    new Map([[3, { packets, bytes: packets * 100, sendErrors: 0, tooLarge: 0, capped: 0, shed: 0 }]]);
  const speeds = new Speeds();
  speeds.sample(10, counted(50));
  assert.deepEqual(speeds.of(3), { packetsPerSecond: 0, bitsPerSecond: 0 });
  speeds.sample(12, counted(250));
  assert.deepEqual(speeds.of(3), { packetsPerSecond: 100, bitsPerSecond: 80_000 });
  speeds.sample(13, counted(5));
  assert.equal(speeds.of(3).packetsPerSecond, 0);
  assert.equal(speeds.of(99).packetsPerSecond, 0);
});
