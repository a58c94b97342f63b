import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelAtLeast, kernelRelease } from "./features.ts";

test("releases are read as numbers", () => {
  assert.deepEqual(kernelRelease("6.1.0-56-amd64"), [6, 1, 0]);
  assert.deepEqual(kernelRelease("6.18.44-fc-v669"), [6, 18, 44]);
  assert.deepEqual(kernelRelease("5.15"), [5, 15, 0]);
  assert.deepEqual(kernelRelease("6.8-rc3"), [6, 8, 0]);
  assert.ok(kernelRelease()[0] >= 5);
});

test("releases are compared number by number", () => {
  assert.ok(kernelAtLeast("4.19", [6, 1, 0]));
  assert.ok(kernelAtLeast("6.1", [6, 1, 0]));
  assert.ok(kernelAtLeast("6.6", [6, 18, 44]));
  assert.ok(!kernelAtLeast("6.6", [6, 1, 99]));
  assert.ok(!kernelAtLeast("4.19.1", [4, 19, 0]));
});
