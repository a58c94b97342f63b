import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pacer } from "./pacer.ts";

test("a pace is kept over time, whenever it is asked, and who is late catches up", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.5, max: 1e6, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (rate, steps) => {
        const pacer = new Pacer(rate);
        let now = 0;
        for (const step of steps) {
          now += step;
          pacer.went(pacer.due(now, Infinity));
          assert.ok(Math.abs(pacer.sent - now * rate) <= 1 + 1e-6, `${pacer.sent} of ${now * rate}`);
        }
      },
    ),
  );
});

test("no more than there is room for is due at a time, and the rest stays due", () => {
  const pacer = new Pacer(1000);
  assert.equal(pacer.due(1, 64), 64);
  pacer.went(64);
  assert.equal(pacer.due(1, 64), 64);
  assert.equal(pacer.wait(1), 0);
});

test("the first is due at once, and the wait is until the next", () => {
  const pacer = new Pacer(100);
  assert.equal(pacer.due(0, 10), 1);
  pacer.went(1);
  assert.equal(pacer.due(0.005, 10), 0);
  assert.ok(Math.abs(pacer.wait(0.004) - 0.006) < 1e-12);
});

test("without a pace as much as there is room for is due", () => {
  const pacer = new Pacer(Infinity);
  pacer.went(1e9);
  assert.deepEqual([pacer.due(0, 64), pacer.wait(0)], [64, 0]);
});
