import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "./random.ts";

const take = (seed: number, count: number): number[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => random());
};

test("a seed gives the same numbers again, and another seed others", () => {
  assert.deepEqual(take(7, 100), take(7, 100));
  for (let seed = 0; seed < 100; seed += 1) assert.notDeepEqual(take(seed, 3), take(seed + 1, 3));
});

test("a seed is its lowest 32 bits", () => {
  assert.deepEqual(take(2 ** 32 + 5, 10), take(5, 10));
  assert.deepEqual(take(-1, 10), take(2 ** 32 - 1, 10));
});

test("numbers are spread evenly from 0 to below 1", () => {
  const numbers = take(1, 20_000);
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  const tenths = Array.from({ length: 10 }, (_, i) => numbers.filter((number) => Math.floor(number * 10) === i).length);
  // 2000 each, with a standard deviation of 42.
  assert.ok(
    tenths.every((count) => Math.abs(count - 2000) < 200),
    tenths.join(" "),
  );
});

test("neighbouring seeds do not begin alike", () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => take(seed, 1)[0]!);
  const mean = firsts.reduce((a, b) => a + b) / firsts.length;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `${mean}`);
  const apart = firsts.slice(1).map((value, i) => Math.abs(value - firsts[i]!));
  // Of two that are independent: a third.
  assert.ok(Math.abs(apart.reduce((a, b) => a + b) / apart.length - 1 / 3) < 0.05);
});
