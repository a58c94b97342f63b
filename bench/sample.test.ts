import assert from "node:assert/strict";
import { test } from "node:test";
import { alternate, growth, sample } from "./sample.ts";

test("a sample is the middle, the least and the greatest", () => {
  assert.deepEqual(sample([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.deepEqual(sample([4, 1, 3, 100]), { median: 3.5, min: 1, max: 100 });
  assert.throws(() => sample([]), TypeError);
});

test("contestants take turns", async () => {
  const turns: string[] = [];
  const run = (name: string) => () => turns.push(name);
  const result = await alternate(2, { a: run("a"), b: async () => run("b")() });
  assert.deepEqual(turns, ["a", "b", "a", "b"]);
  assert.deepEqual(result, { a: { median: 2, min: 1, max: 3 }, b: { median: 3, min: 2, max: 4 } });
});

test("growth is the exponent", () => {
  assert.equal(growth(10, 3, 100, 30), 1);
  assert.equal(growth(10, 3, 100, 300), 2);
});
