import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS } from "./model.ts";
import { Tally } from "./tally.ts";

const table = (packets: number): Float64Array => {
  const made = new Float64Array(2 * COUNTERS.length);
  made[COUNTERS.length] = packets;
  return made;
};

test("counts go on when who counted ends, and begin anew when the slot is another's", () => {
  const tally = new Tally(2);
  const [worker, kernel] = [table(5), table(7)];
  assert.equal(tally.of(1, [worker, kernel]).packets, 12);
  tally.retire([worker]);
  assert.equal(tally.of(1, [kernel]).packets, 12);
  assert.equal(tally.of(1, [kernel, table(3)]).packets, 15);
  tally.begin([1], [kernel]);
  assert.equal(tally.of(1, [kernel]).packets, 0);
  kernel[COUNTERS.length] = 9;
  assert.equal(tally.of(1, [kernel]).packets, 2);
  assert.equal(tally.of(0, [kernel]).packets, 0);
});

test("what a table had counted for others is forgotten, and what others count is not", () => {
  const tally = new Tally(3);
  const [worker, kernel] = [table(5), table(7)];
  tally.begin([0, 1, 2], [worker]);
  tally.forget(kernel);
  kernel[COUNTERS.length]! += 4;
  worker[COUNTERS.length]! += 2;
  assert.equal(tally.of(1, [worker, kernel]).packets, 6);
});
