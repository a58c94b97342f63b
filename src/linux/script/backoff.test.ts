import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

const steps = { first: 250, most: 1500, healthy: 60_000 };

test("the first wait is none, the next double up to a limit", () => {
  const backoff = new Backoff(steps);
  assert.deepEqual(
    Array.from({ length: 7 }, () => backoff.next(10)),
    [0, 250, 500, 1000, 1500, 1500, 1500],
  );
  for (let i = 0; i < 5000; i += 1) assert.equal(backoff.next(0), 1500);
});

test("what ran well begins anew", () => {
  const backoff = new Backoff(steps);
  assert.deepEqual(
    [backoff.next(0), backoff.next(0), backoff.next(59_999), backoff.next(60_000), backoff.next(0)],
    [0, 250, 500, 0, 250],
  );
});
