import assert from "node:assert/strict";
import { test } from "node:test";
import { ringLayout } from "./ring-layout.ts";

test("a ring is of whole blocks, two at least", () => {
  const { blockBytes, blockCount } = ringLayout({ mode: "throughput", bytes: 10 * 2 ** 20 + 1 });
  assert.equal(blockBytes * blockCount, 10 * 2 ** 20);
  assert.equal(ringLayout({ mode: "throughput", bytes: 1 }).blockCount, 2);
});

test("a slot has room for a frame of the MTU with all that stands before it, and divides a block", () => {
  const slot = (mtu?: number) => ringLayout({ mode: "latency", bytes: 2 ** 20, ...(mtu !== undefined && { mtu }) });
  assert.deepEqual(
    [undefined, 576, 1500, 1920, 1921, 9000, 65_535].map((mtu) => slot(mtu).frameBytes),
    [2048, 2048, 2048, 2048, 4096, 16_384, 16_384],
  );
  assert.equal(slot(9000).blockBytes % slot(9000).frameBytes, 0);
});
