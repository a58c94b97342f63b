import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatMbps, parseMbps } from "./mbps.ts";

test("keeps fractions exactly, down to whole bit/s", () => {
  fc.assert(
    fc.property(fc.integer({ min: 10_000, max: 1e12 }), (bits) => {
      const text = `${Math.floor(bits / 1e6)}.${String(bits % 1e6).padStart(6, "0")}`;
      assert.equal(parseMbps(text, "maximum"), bits);
    }),
  );
  assert.equal(parseMbps("2.5", "maximum"), 2_500_000);
  assert.equal(parseMbps("1.1", "maximum"), 1_100_000);
  assert.equal(parseMbps("1e3", "maximum"), 1e9);
  assert.equal(parseMbps(".5", "maximum"), 500_000);
});

test("refuses what is no plain decimal number", () => {
  for (const text of ["", "nan", "inf", "1_000", "0x10", "-1", "+1", "1,5", "10 Mbps", "1e", "."]) {
    assert.equal(parseMbps(text, "maximum"), undefined, text);
  }
});

test("holds the bounds; only a minimum may be 0", () => {
  assert.equal(parseMbps("0.01", "maximum"), 10_000);
  assert.equal(parseMbps("0.0099", "maximum"), undefined);
  assert.equal(parseMbps("1000000", "maximum"), 1e12);
  assert.equal(parseMbps("1000000.1", "maximum"), undefined);
  assert.equal(parseMbps("0", "maximum"), undefined);
  assert.equal(parseMbps("0.0", "minimum"), 0);
  assert.equal(parseMbps("1e-9", "minimum"), undefined);
});

test("writes rates as it reads them", () => {
  for (const text of ["0.01", "2.5", "1000000"]) assert.equal(formatMbps(parseMbps(text, "maximum")!), text);
});
