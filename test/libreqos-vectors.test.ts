/** LibreQoS's arithmetic against recorded values. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hashToI64 } from "../src/shaper/libreqos/hash.ts";
import { defaultClassCeil, defaultClassRate, formatRate, quantum, r2q } from "../src/shaper/libreqos/rates.ts";
import { pythonSqm, rustSqm } from "../src/shaper/libreqos/sqm.ts";
import { goldenVector, skipGolden } from "./helpers/libreqos.ts";

describe("recorded values", { skip: skipGolden }, () => {
  it("of format_rate_for_tc", () => {
    const rows = goldenVector("format_rate_for_tc.json") as [number, string][];
    assert.ok(rows.length > 100);
    for (const [rate, text] of rows) assert.equal(formatRate(rate), text, String(rate));
  });

  it("of r2q and quantum", () => {
    const rows = goldenVector("r2q_quantum.json") as { max_mbps: number; r2q: number; quantum: [number, number][] }[];
    assert.ok(rows.length > 10);
    for (const { max_mbps: capacity, r2q: divisor, quantum: quanta } of rows) {
      assert.equal(r2q(capacity), divisor, `r2q(${capacity})`);
      for (const [rate, bytes] of quanta) assert.equal(quantum(rate, divisor), bytes, `quantum(${rate}, ${divisor})`);
    }
  });

  it("of the default class", () => {
    const rows = goldenVector("default_class_rates.json") as [number, number, string, string][];
    assert.ok(rows.length > 50);
    for (const [quarter, rounded, rate, ceil] of rows) {
      const capacity = 4 * quarter + 1;
      assert.equal(defaultClassRate(capacity), rounded, `(${capacity} - 1) / 4`);
      assert.equal(formatRate(defaultClassRate(capacity)), rate);
      assert.equal(formatRate(defaultClassCeil(capacity)), ceil);
    }
  });

  it("of sqmFixupRate, Python's and Rust's", () => {
    const python = goldenVector("sqm_fixup_rate_python.json") as [number, string, string][];
    const rust = goldenVector("sqm_fixup_rate_rust_seed.json") as [number, string, string][];
    assert.ok(python.length > 50 && rust.length > 20);
    for (const [rate, sqm, leaf] of python) assert.equal(pythonSqm(rate, sqm), leaf, `${rate} ${sqm}`);
    for (const [rate, sqm, leaf] of rust) assert.equal(rustSqm(rate, sqm), leaf, `${rate} ${sqm}`);
  });

  it("of hash_to_i64", () => {
    const rows = goldenVector("hash_to_i64_siphash13.json") as [string, string][];
    assert.ok(rows.length >= 20);
    for (const [text, hash] of rows) assert.equal(String(hashToI64(text)), hash, JSON.stringify(text));
  });
});
