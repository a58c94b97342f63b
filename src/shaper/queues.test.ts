import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseQueues, type Part } from "./queues.ts";

const parts = (...weights: number[]): Part[] => weights.map((weight, i) => ({ key: `p${i}`, weight }));

test("the heaviest goes first, each to the queue with the least load", () => {
  const chosen = chooseQueues(parts(3, 9, 5, 4), 2, new Map());
  assert.deepEqual(Object.fromEntries(chosen), { p1: 0, p2: 1, p3: 1, p0: 0 });
});

test("what has a queue stays, what is new fills up, and a queue that is gone is left", () => {
  const placed = new Map([
    ["p0", 1],
    ["p1", 1],
    ["p2", 5],
  ]);
  const chosen = chooseQueues(parts(10, 10, 3, 4), 2, placed);
  assert.deepEqual(Object.fromEntries(chosen), { p0: 1, p1: 1, p3: 0, p2: 0 });
});

test("from scratch no queue is loaded beyond the mean by more than the heaviest part", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 16 }),
      (weights, queues) => {
        const list = parts(...weights);
        const chosen = chooseQueues(list, queues, new Map());
        const load = Array.from({ length: queues }, () => 0);
        for (const part of list) load[chosen.get(part.key)!]! += part.weight;
        const mean = weights.reduce((a, b) => a + b, 0) / queues;
        assert.ok(Math.max(...load) <= mean + Math.max(...weights));
      },
    ),
  );
});
