import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { settle } from "./settle.ts";

const BOUNDS = { min: 200, base: 1000, max: 1600 };
const OPEN = { ...BOUNDS, max: Number.POSITIVE_INFINITY };

test("whole kbit/s within the bounds", () => {
  assert.equal(settle(999.99, BOUNDS), 999);
  assert.equal(settle(3, BOUNDS), 200);
  assert.equal(settle(-1e9, BOUNDS), 200);
  assert.equal(settle(5000, BOUNDS), 1600);
  assert.equal(settle(5000, OPEN), 5000);
  assert.equal(settle(Number.POSITIVE_INFINITY, BOUNDS), 1600);
});

test("what is no rate is the least: nobody is given all of a line by mistake", () => {
  assert.equal(settle(Number.NaN, BOUNDS), 200);
  assert.equal(settle(Number.POSITIVE_INFINITY, OPEN), 200);
  assert.equal(settle(Number.NEGATIVE_INFINITY, OPEN), 200);
});

test("a minimum with a fraction is kept, too", () => {
  assert.equal(settle(0, { ...BOUNDS, min: 100.5 }), 101);
  assert.equal(settle(100.7, { ...BOUNDS, min: 100.5 }), 101);
});

test("it is done once: what is settled stays", () => {
  const rate = fc.double({ min: 1, max: 1e7, noNaN: true });
  const property = fc.property(fc.double(), fc.tuple(rate, rate, rate), (wanted, rates) => {
    const [min, base, max] = rates.toSorted((a, b) => a - b) as [number, number, number];
    const bounds = { min, base, max: max + 1 };
    const settled = settle(wanted, bounds);
    assert.ok(Number.isSafeInteger(settled) && settled >= min && settled <= max + 2, `${settled}`);
    assert.equal(settle(settled, bounds), settled);
  });
  fc.assert(property);
});
