import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readStamp, STAMP_BYTES, writeStream, writeTurn } from "./stamp.ts";

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const stamps = fc.record({
  run: u32,
  stream: u32,
  sequence: u48,
  total: u48,
  seconds: u32,
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
});

test("a stamp is read as it was written, wherever it lies", () => {
  fc.assert(
    fc.property(stamps, fc.nat(9), (stamp, at) => {
      const view = new DataView(new ArrayBuffer(at + STAMP_BYTES));
      writeStream(view, at, stamp);
      writeTurn(view, at, stamp.sequence, stamp);
      assert.deepEqual(readStamp(view, at, STAMP_BYTES), { ...stamp });
    }),
  );
});

test("what is too short, or of somebody else, is none", () => {
  const view = new DataView(new ArrayBuffer(STAMP_BYTES));
  assert.equal(readStamp(view, 0, STAMP_BYTES), undefined);
  writeStream(view, 0, { run: 1, stream: 0, total: 0 });
  assert.equal(readStamp(view, 0, STAMP_BYTES - 1), undefined);
  assert.notEqual(readStamp(view, 0, STAMP_BYTES), undefined);
});
