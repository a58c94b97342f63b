import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, startOdometer } from "./odometer.ts";

test("a counter counts on when it begins anew, and what was sent in between is not known", () => {
  let odometer = startOdometer(1000);
  const read = (value: number): boolean => {
    const step = advance(odometer, value);
    ({ odometer } = step);
    return step.restarted;
  };
  assert.equal(read(1500), false);
  assert.equal(odometer.total, 500);
  assert.equal(read(20), true);
  assert.equal(odometer.total, 500);
  assert.equal(read(120), false);
  assert.equal(odometer.total, 600);
});
