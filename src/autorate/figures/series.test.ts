import assert from "node:assert/strict";
import { test } from "node:test";
import { firstAt, meanHeld, meanOfAverages } from "./series.ts";

test("the first entry at a time is the one at it, else the next, else none", () => {
  const at = [0, 1, 1, 2];
  assert.deepEqual(
    [-1, 0, 0.5, 1, 2, 3].map((time) => firstAt(at, time)),
    [0, 0, 1, 1, 3, 4],
  );
  assert.equal(firstAt(new Float64Array(0), 1), 0);
});

test("what is held counts from its entry to the next, and the last for ever", () => {
  const rate = { at: [0, 30, 50], value: [20, 8, 20] };
  assert.equal(meanHeld(rate, 25, 35), 14);
  assert.equal(meanHeld(rate, 50, 70), 20);
  assert.equal(meanHeld(rate, 29, 51), (20 + 20 * 8 + 20) / 22);
});

test("before its first entry nothing is held", () => {
  assert.equal(meanHeld({ at: [10], value: [5] }, 0, 20), 5);
  assert.ok(Number.isNaN(meanHeld({ at: [10], value: [5] }, 0, 10)));
});

test("an average counts over the time since the entry before, as far as that is inside", () => {
  const seen = { at: [0, 1, 3, 4], value: [100, 10, 20, 40] };
  assert.equal(meanOfAverages(seen, 0, 4), (10 + 40 + 40) / 4);
  assert.equal(meanOfAverages(seen, 0.5, 2), (5 + 20) / 1.5);
  assert.equal(meanOfAverages(seen, 3.5, 9), 40, "where nothing was seen is left out");
  assert.ok(Number.isNaN(meanOfAverages(seen, 5, 9)));
});
