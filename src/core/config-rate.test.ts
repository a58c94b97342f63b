import assert from "node:assert/strict";
import { test } from "node:test";
import { rateIn } from "./config-rate.ts";
import { Refusal } from "./config-values.ts";

const kbit = rateIn("kbit", 1000, 1e12);
const reason = (value: unknown): string => {
  const read = kbit(value);
  return read instanceof Refusal ? read.reason : `taken as ${read}`;
};

test("a number counts the unit of its table, a text says its own", () => {
  assert.equal(kbit(50_000), 50e6);
  assert.equal(kbit("50mbit"), 50e6);
  assert.equal(kbit("2.5mbit"), 2_500_000);
  assert.equal(rateIn("mbit", 1, 1e12)(50), 50e6);
});

test("what is easily meant otherwise is refused with what to write", () => {
  assert.match(reason("50"), /write "50kbit" or the number 50/);
  assert.match(reason("50mbps"), /bytes per second; write "50mbit" for bits/);
  assert.match(reason(0.5), /wanted a rate from 1 kbit\/s to 1 Tbit\/s \(a number counts kbit\/s\)/);
  assert.match(reason(Number.NaN), /it is NaN, wanted a rate/);
  assert.match(reason(Infinity), /it is Infinity/);
  assert.match(reason(true), /it is true, wanted a rate such as/);
});
