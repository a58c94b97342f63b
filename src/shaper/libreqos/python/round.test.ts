import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatFixed, roundHalfEven } from "./round.ts";

/** A double as a fraction of whole numbers, exactly. */
function exact(value: number): { numerator: bigint; denominator: bigint } {
  let denominator = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

/** Decimal places by long division, ties to even: the definition. */
function reference(value: number, decimals: number): string {
  const { numerator, denominator } = exact(value);
  const scaled = numerator * 10n ** BigInt(decimals);
  const [quotient, rest] = [scaled / denominator, scaled % denominator];
  const up = 2n * rest > denominator || (2n * rest === denominator && quotient % 2n === 1n);
  const digits = String(quotient + (up ? 1n : 0n)).padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

const rates = fc.oneof(
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.integer({ min: 0, max: 1 << 24 }).map((n) => n / 16),
  fc.integer({ min: 0, max: 1e7 }).map((n) => n / 100),
  fc.integer({ min: 2 ** 50, max: Number.MAX_SAFE_INTEGER }).map((n) => n / 4),
);

describe("formatFixed", () => {
  it("is exact division with ties to even", () => {
    fc.assert(
      fc.property(rates, fc.constantFrom(0, 1, 2), (rate, decimals) => {
        assert.equal(formatFixed(rate, decimals), reference(rate, decimals));
      }),
      { numRuns: 2000 },
    );
  });

  it("differs from toFixed on ties alone", () => {
    assert.deepEqual([formatFixed(1.25, 1), (1.25).toFixed(1)], ["1.2", "1.3"]);
    assert.deepEqual([formatFixed(312.5, 0), (312.5).toFixed(0)], ["312", "313"]);
    assert.deepEqual([formatFixed(0.5, 0), (0.5).toFixed(0)], ["0", "1"]);
    // 1.005 is a little less in binary, and no tie.
    assert.equal(formatFixed(1.005, 2), "1.00");
  });
});

describe("roundHalfEven", () => {
  it("is formatFixed without decimals", () => {
    fc.assert(
      fc.property(rates, (rate) => {
        assert.equal(String(roundHalfEven(rate)), reference(rate, 0));
      }),
    );
  });

  it("knows negative numbers", () => {
    assert.deepEqual(
      [-2.5, -1.5, -0.5, -0.25].map((value) => roundHalfEven(value)),
      [-2, -2, 0, 0],
    );
  });
});
