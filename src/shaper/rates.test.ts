import assert from "node:assert/strict";
import { test } from "node:test";
import { transmitTicks } from "../core/tc/class.ts";
import { bitsPerSecond, megabits } from "../core/units.ts";
import { circuitClass, PRIO } from "./rates.ts";

test("a burst is 10 ms of the rate, at least a packet", () => {
  assert.equal(circuitClass(megabits(100), megabits(100), PRIO.circuit, 1500).burst, 125_000);
  assert.equal(circuitClass(megabits(1), megabits(1), PRIO.circuit, 1500).burst, 1600);
  assert.equal(circuitClass(megabits(1), megabits(1), PRIO.circuit, 9000).burst, 9100);
});

test("a burst fits into the 32 bits in which the kernel keeps it as a time, at the least rate and the largest MTU", () => {
  for (const mtu of [1500, 9000, 65_520, 65_536]) {
    for (const rate of [1000, 1200, 10_000, 1e6, 1e12].map((bits) => bitsPerSecond(bits))) {
      const { burst } = circuitClass(rate, rate, PRIO.circuit, mtu);
      assert.ok(transmitTicks(rate, burst) < 2 ** 32, `${burst} bytes at ${rate} bit/s`);
    }
  }
});
