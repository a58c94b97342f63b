import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bitsPerSecond } from "../units.ts";
import { bytesOfTicks, transmitTicks } from "./class.ts";
import { formatHandle, handle, major, minor, parseHandle, TC_ROOT } from "./handle.ts";

test("transmitTicks() gives what iproute2 6.1 writes for `burst`", () => {
  // tc class add ... htb rate 10gbit burst 1600b -> 15 ticks; 40gbit -> 0 (recorded with strace).
  assert.equal(transmitTicks(bitsPerSecond(10e9), 1600), 15);
  assert.equal(transmitTicks(bitsPerSecond(40e9), 1600), 0);
  assert.equal(transmitTicks(bitsPerSecond(1e6), 1600), 200_000);
});

test("bytesOfTicks() finds a burst with just these ticks, for every burst tc can write", () => {
  const rate = fc.oneof(fc.integer({ min: 1000, max: 1e7 }), fc.integer({ min: 1e7, max: 4e11 }));
  fc.assert(
    fc.property(rate, fc.integer({ min: 0, max: 2 ** 27 }), (bits, size) => {
      const ticks = transmitTicks(bitsPerSecond(bits), size);
      assert.equal(transmitTicks(bitsPerSecond(bits), bytesOfTicks(bitsPerSecond(bits), ticks)), ticks);
    }),
    { numRuns: 2000 },
  );
});

test("handles are printed and parsed as tc does, in hex", () => {
  assert.equal(formatHandle(handle(0x7fff)), "7fff:");
  assert.equal(formatHandle(handle(1, 0x2a3)), "1:2a3");
  assert.equal(formatHandle(TC_ROOT), "root");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xfffe }), fc.integer({ min: 0, max: 0xffff }), (a, b) => {
      const h = handle(a, b);
      return parseHandle(formatHandle(h)) === h && major(h) === a && minor(h) === b;
    }),
  );
});
