import assert from "node:assert/strict";
import { test } from "node:test";
import { Throttle } from "./throttle.ts";

test("one a minute of each kind, with the number of those between", () => {
  const throttle = new Throttle();
  assert.equal(throttle.admit("a", 5), 0);
  assert.equal(throttle.admit("a", 5.5), undefined);
  assert.equal(throttle.admit("b", 6), 0);
  assert.equal(throttle.admit("a", 64.9), undefined);
  assert.equal(throttle.admit("a", 65), 2);
  assert.equal(throttle.admit("a", 66), undefined);
  assert.equal(throttle.admit("b", 1000), 0);
  assert.equal(throttle.admit("a", 1000), 1);
});
