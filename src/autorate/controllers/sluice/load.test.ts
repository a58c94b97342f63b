import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { countsOf } from "../../../../test/helpers/sluice-lab.ts";
import { type Count, keepCounts, useBetween } from "./load.ts";

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

describe("looks at a counter", () => {
  it("are forgotten after some seconds", () => {
    let counts: readonly Count[] = [];
    for (let i = 0; i < 500; i += 1) {
      counts = keepCounts(counts, { at: i / 10, bytes: i, rate: 1 });
      assert.ok(counts.length <= 32 && counts.at(-1)!.at === i / 10);
    }
    assert.ok(counts.length >= 25);
    const late: Count = { at: 1000, bytes: 1, rate: 1 };
    assert.deepEqual(keepCounts(counts, late), [late]);
  });
});

describe("what was used", () => {
  it("is what was sent, and its share of what the rate allowed", () => {
    const { achieved, allowed, load } = useBetween(countsOf(0, 2, 3000, 4000), 1, 2);
    near(achieved, 3000);
    near(allowed, 4000);
    near(load, 0.75);
  });

  it("is by the rate that held, where it changed", () => {
    const counts = countsOf(1, 2, 2000, 8000, countsOf(0, 1, 2000, 4000));
    near(useBetween(counts, 0.5, 1.5).allowed, 6000);
    near(useBetween(counts, 0, 1).load, 0.5);
    near(useBetween(counts, 1, 2).load, 0.25);
  });

  it("is between the looks around the times that are asked for", () => {
    const counts = countsOf(1, 2, 6000, 8000, countsOf(0, 1, 2000, 8000));
    near(useBetween(counts, 0.95, 1.95).achieved, (2000 * 0.1 + 6000) / 1.1);
    near(useBetween(counts, 1.5, 1.55).achieved, 6000);
    near(useBetween(counts, -5, 50).achieved, 4000);
  });

  it("is nothing when too little is known", () => {
    const none = { achieved: 0, allowed: 0, load: 0 };
    const counts = countsOf(1, 2, 2000, 4000);
    assert.deepEqual(useBetween(counts.slice(0, 1), 0, 5), none);
    assert.deepEqual(useBetween(counts, 0, 0.5), none);
    assert.deepEqual(useBetween(counts, 3, 4), none);
    assert.deepEqual(
      useBetween(
        counts.map((count) => ({ ...count, rate: 0 })),
        1,
        2,
      ).load,
      0,
    );
  });

  it("is finite and the load its share, whatever is asked", () => {
    const look = fc.record({
      gap: fc.double({ min: 0.001, max: 5, noNaN: true }),
      bytes: fc.nat(1e9),
      rate: fc.double({ min: 1, max: 1e7, noNaN: true }),
    });
    const time = fc.double({ min: -10, max: 200, noNaN: true });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 30 }), time, time, (looks, from, to) => {
        let [at, bytes] = [0, 0];
        const counts = looks.map((one): Count => ({
          at: (at += one.gap),
          bytes: (bytes += one.bytes),
          rate: one.rate,
        }));
        const { achieved, allowed, load } = useBetween(counts, from, to);
        assert.ok([achieved, allowed, load].every((value) => Number.isFinite(value) && value >= 0));
        near(load * allowed, achieved);
      }),
    );
  });
});
