import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { allowedProcessors, parseProcessors } from "./processors.ts";

test("a list of processors is read as the kernel writes it", () => {
  assert.deepEqual(parseProcessors("3"), [3]);
  assert.deepEqual(parseProcessors("0-2,5,7-8"), [0, 1, 2, 5, 7, 8]);
});

test("those that are allowed are as many as Node counts", () => {
  assert.equal(allowedProcessors().length, availableParallelism());
});
