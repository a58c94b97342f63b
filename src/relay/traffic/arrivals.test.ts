import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Arrivals } from "./arrivals.ts";
import { Delays } from "./delays.ts";

const SENT = { run: 1, stream: 0, seconds: 1_800_000_000, nanoseconds: 999_999_000 };
/** 3 microseconds later, over the end of a second. */
const CAME = { seconds: 1_800_000_001, nanoseconds: 2000 };

/** The figures of packets that come in an order. */
function arrive(order: readonly number[], total = 0) {
  const arrivals = new Arrivals();
  for (const sequence of order) arrivals.add({ ...SENT, sequence, total }, 100, CAME);
  return { ...arrivals.figures(), isComplete: arrivals.isComplete };
}

test("all in order: nothing is missing, and it took as long as it took", () => {
  const { packets, bytes, lost, duplicates, reordered, delay, isComplete } = arrive([0, 1, 2, 3], 4);
  assert.deepEqual([packets, bytes, lost, duplicates, reordered, isComplete], [4, 400, 0, 0, 0, true]);
  assert.equal(delay?.max, 3);
  assert.ok(Math.abs(delay.p50 / 3 - 1) < 0.02);
});

test("what is missing between, before and after is lost; after it only when it is known how many there are", () => {
  assert.equal(arrive([2, 3, 5]).lost, 3);
  assert.equal(arrive([2, 3, 5], 10).lost, 7);
  assert.equal(arrive([2, 3, 5], 10).isComplete, false);
});

test("what comes twice is counted once, and what is overtaken is none of the lost", () => {
  const { packets, lost, duplicates, reordered } = arrive([0, 2, 1, 2, 1, 3]);
  assert.deepEqual([packets, lost, duplicates, reordered], [4, 0, 2, 1]);
});

test("in any order, with anything twice, every packet is one of those that came or of those that are lost", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { minLength: 1 }), (order) => {
      const { packets, lost, duplicates, stale } = arrive(order, 501);
      assert.deepEqual([packets, lost], [new Set(order).size, 501 - new Set(order).size]);
      assert.deepEqual([duplicates, stale], [order.length - packets, 0]);
    }),
  );
});

test("what is older than anything remembered is told apart, for it may have come before", () => {
  const { packets, stale, lost } = arrive([0, 100_000, 1, 99_999]);
  assert.deepEqual([packets, stale, lost], [3, 1, 99_998]);
});

test("percentiles are right to a hundredth, from nanoseconds to minutes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 1e11, noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, part) => {
        const delays = new Delays();
        for (const value of values) delays.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        const wanted = sorted[Math.ceil(part * values.length) - 1]!;
        assert.ok(Math.abs(delays.percentile(part)! / wanted - 1) < 0.011, `${delays.percentile(part)} for ${wanted}`);
      },
    ),
  );
});

test("clocks that do not agree make no delay, and nothing has none", () => {
  const delays = new Delays();
  assert.equal(delays.figures(), undefined);
  delays.add(-5000);
  assert.equal(delays.figures()?.max, 0);
});
