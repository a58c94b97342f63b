import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { defaultClassRate, formatRate, quantum, r2q } from "./rates.ts";

describe("r2q", () => {
  it("is the least divisor from 10 that keeps the fastest quantum in bounds", () => {
    const known = { 1: 10, 5: 11, 10: 21, 100: 209, 1000: 2084, 2500: 5209, 10_000: 20_834, 100_000: 208_334 };
    for (const [capacity, divisor] of Object.entries(known)) assert.equal(r2q(Number(capacity)), divisor);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000 }), (capacity) => {
        const divisor = r2q(capacity);
        assert.ok((capacity * 125_000) / divisor <= 60_000);
        assert.ok(divisor === 10 || (capacity * 125_000) / (divisor - 1) > 60_000);
      }),
    );
  });
});

describe("quantum", () => {
  it("is cut, and never below a packet", () => {
    assert.deepEqual(
      [1000, 500, 105, 30, 18, 0].map((rate) => quantum(rate, 2084)),
      [59_980, 29_990, 6297, 1799, 1522, 1522],
    );
    assert.equal(quantum(Number.NaN, 2084), Number.NaN);
  });
});

describe("formatRate", () => {
  it("chooses the unit before it rounds", () => {
    const known = { 0.9996: "1000kbit", 999.95: "1000.0mbit", 999: "999.0mbit", 1250: "1.2gbit", 9999: "10.0gbit" };
    for (const [rate, text] of Object.entries(known)) assert.equal(formatRate(Number(rate)), text);
  });

  it("sends ties to the even side", () => {
    const known = {
      1.25: "1.2mbit",
      2.25: "2.2mbit",
      10.25: "10.2mbit",
      1.75: "1.8mbit",
      0.3125: "312kbit",
      0.0005: "0kbit",
    };
    for (const [rate, text] of Object.entries(known)) assert.equal(formatRate(Number(rate)), text);
  });

  it("writes what is no number as Python does", () => {
    assert.equal(formatRate(Number.NaN), "nankbit");
    assert.equal(formatRate(Number.POSITIVE_INFINITY), "infgbit");
  });
});

describe("defaultClassRate", () => {
  it("sends ties to the even side", () => {
    assert.deepEqual(
      [2, 3, 7, 11, 15, 1000].map((capacity) => defaultClassRate(capacity)),
      [0, 0, 2, 2, 4, 250],
    );
  });
});
