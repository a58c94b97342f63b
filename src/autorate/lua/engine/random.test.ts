import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptRandom } from "./random.ts";

test("it is xoshiro128**", () => {
  // The state 1, 2, 3, 4: the first numbers of the authors' C program.
  const random = new ScriptRandom([1, 2, 3, 4].map((word) => word / 2 ** 32));
  assert.deepEqual(
    Array.from({ length: 5 }, () => random.draw() * 2 ** 32),
    [11520, 0, 5927040, 70819200, 2031721883],
  );
});

test("given numbers come first, and what is left of them is forgotten with the next", () => {
  const random = new ScriptRandom([0.1, 0.2, 0.3, 0.4]);
  const own = new ScriptRandom([0.1, 0.2, 0.3, 0.4]);
  random.give([0.25, 0.5]);
  assert.deepEqual([random.draw(), random.draw(), random.draw()], [0.25, 0.5, own.draw()]);
  random.give([0.125, 0.625]);
  assert.equal(random.draw(), 0.125);
  random.give([]);
  assert.equal(random.draw(), own.draw());
});

test("no seed leaves it standing still, and all numbers are in [0, 1)", () => {
  const random = new ScriptRandom([0, 0, 0, 0]);
  const drawn = Array.from({ length: 1000 }, () => random.draw());
  assert.ok(drawn.every((u) => u >= 0 && u < 1));
  assert.ok(new Set(drawn).size > 990);
});
