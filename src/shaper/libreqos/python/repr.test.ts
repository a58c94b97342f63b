import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { reprFloat, reprText } from "./repr.ts";

describe("reprFloat", () => {
  it("writes what Python writes", () => {
    const known: readonly (readonly [number, string])[] = [
      [155, "155.0"],
      [0, "0.0"],
      [-0, "-0.0"],
      [0.1, "0.1"],
      [-2.5, "-2.5"],
      [0.0001, "0.0001"],
      [0.00001, "1e-05"],
      [1.5e-7, "1.5e-07"],
      [123_456_789.125, "123456789.125"],
      [1e15, "1000000000000000.0"],
      [1e16, "1e+16"],
      [1.25e22, "1.25e+22"],
      [1e100, "1e+100"],
      [Number.NaN, "nan"],
      [Number.NEGATIVE_INFINITY, "-inf"],
    ];
    for (const [value, text] of known) assert.equal(reprFloat(value), text);
  });

  it("reads back as the same number, and never looks whole", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.ok(Object.is(Number(reprFloat(value)), value));
        assert.match(reprFloat(value), /[.e]/);
      }),
    );
  });
});

describe("reprText", () => {
  it("quotes and escapes as Python does", () => {
    assert.equal(reprText("2.5"), "'2.5'");
    assert.equal(reprText("it's"), `"it's"`);
    assert.equal(reprText(`it's "so"`), `'it\\'s "so"'`);
    assert.equal(reprText("a\tb\\\u0001\u00A0ü日"), `'a\\tb\\\\\\x01\\xa0ü日'`);
  });
});
