import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pythonSqm, rustSqm } from "./sqm.ts";

const RATES = [0.9, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5];

describe("the rtt of slow circuits", () => {
  it("has no unit and four exact rates in Python", () => {
    const rtts = RATES.map((rate) => pythonSqm(rate, "cake diffserv4").slice("cake diffserv4".length));
    assert.deepEqual(rtts, ["", " rtt 300", "", " rtt 180", "", " rtt 140", "", " rtt 120", "", ""]);
  });

  it("has milliseconds and ranges in Rust", () => {
    const rtts = RATES.map((rate) => rustSqm(rate, "cake").slice("cake".length));
    const [slowest, slower, slow, least] = ["300ms", "180ms", "140ms", "120ms"].map((rtt) => ` rtt ${rtt}`);
    assert.deepEqual(rtts, [slowest, slowest, slowest, slower, slower, slow, slow, least, least, ""]);
  });

  it("is for cakes without one", () => {
    for (const sqm of ["fq_codel", "cake diffserv4 rtt 50ms", "pfifo limit 10"]) {
      assert.deepEqual([pythonSqm(1, sqm), rustSqm(1, sqm)], [sqm, sqm]);
    }
  });
});
