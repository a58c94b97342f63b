import assert from "node:assert/strict";
import { test } from "node:test";
import { both } from "../../core/both.ts";
import { loads, throughput } from "./measure.ts";

test("bytes over seconds are kbit/s, and their share of the rate the load", () => {
  assert.equal(throughput(125_000, 0, 1), 1000);
  const before = { at: 10, bytes: { download: 1000, upload: 0 } };
  const now = { at: 10.5, bytes: { download: 126_000, upload: 62_500 } };
  const { elapsed, achieved, load } = loads(before, now, { download: 4000, upload: 500 });
  assert.equal(elapsed, 0.5);
  assert.deepEqual(achieved, { download: 2000, upload: 1000 });
  // More than its rate may leave by what a bucket holds.
  assert.deepEqual(load, { download: 0.5, upload: 2 });
});

test("what was not sent is none", () => {
  const count = { at: 1, bytes: both(() => 5) };
  const { achieved } = loads(count, { ...count, at: 2 }, { download: 1, upload: 1 });
  assert.deepEqual(achieved, { download: 0, upload: 0 });
});
