import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { didYouMean, editDistance, nearest } from "./nearest.ts";

test("counts insertions, deletions, replacements and swaps", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("parnet", "parent"), 1);
});

test("is symmetric, and 0 for equal words only", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
  );
});

test("prefers a difference in case and punctuation to any other", () => {
  assert.equal(nearest("site a", ["Site_B", "Site_A", "site"]), "Site_A");
});

test("allows two edits in long words, one in short ones, none in tiny ones", () => {
  assert.equal(nearest("downloadBandwithMps", ["downloadBandwidthMbps"]), "downloadBandwidthMbps");
  assert.equal(nearest("tpe", ["type"]), undefined);
  assert.equal(nearest("tyope", ["type"]), "type");
  assert.equal(nearest("time", ["type"]), undefined);
});

test("never takes one number for another", () => {
  assert.equal(nearest("AP_12", ["AP_11", "AP_1"]), undefined);
  assert.equal(nearest("PA_12", ["AP_11", "AP_12"]), "AP_12");
});

test("makes a hint, or nothing", () => {
  assert.equal(didYouMean("regoin", ["Region"]), '; did you mean "Region"?');
  assert.equal(didYouMean("elsewhere", ["Region"]), "");
});
