import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { countCpus, possibleCpus } from "./cpus.ts";

test("lists of CPUs are counted", () => {
  assert.deepEqual(["0\n", "0-3\n", "0-3,8", "0,2,4-5"].map(countCpus), [1, 4, 5, 4]);
});

test("this machine has at least the CPUs that we may run on", () => {
  assert.ok(possibleCpus() >= availableParallelism());
});
