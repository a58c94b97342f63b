import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../../src/autorate/simulation/random.ts";

test("a seed gives the same numbers again", () => {
  const [a, b, c] = [seeded(1), seeded(1), seeded(2)];
  const first = Array.from({ length: 5 }, a);
  assert.deepEqual(Array.from({ length: 5 }, b), first);
  assert.notDeepEqual(Array.from({ length: 5 }, c), first);
});

test("they are spread evenly over [0, 1)", () => {
  const random = seeded(7);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i += 1) {
    const value = random();
    assert.ok(value >= 0 && value < 1);
    counts[Math.floor(value * 10)]! += 1;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${count} of 10,000 in a tenth`);
});
