import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PythonError } from "./error.ts";
import { add, float, int, max, min, parseFloatText, parseIntText, truncate } from "./number.ts";

const explain = () => ({ reason: "r", remedy: "m" });
const raises = (exception: string, message: string) => (error: unknown) =>
  error instanceof PythonError && error.exception === exception && error.message === message;

describe("parseFloatText", () => {
  it("takes what float() takes", () => {
    const known = {
      " 1 ": 1,
      "1_000": 1000,
      "1e3": 1000,
      "+.5": 0.5,
      "5.": 5,
      "\u00A02.5\n": 2.5,
      "1_0.2_5E-1_0": 10.25e-10,
    };
    for (const [text, value] of Object.entries(known)) assert.equal(parseFloatText(text), value, text);
    assert.equal(parseFloatText("-Infinity"), Number.NEGATIVE_INFINITY);
    assert.ok(Number.isNaN(parseFloatText(" NaN ")));
  });

  it("refuses what float() refuses", () => {
    for (const text of ["", " ", "abc", "1e", "1,5", "_1", "1_", "1__0", "1_.5", "0x10", "1 0", "\uFEFF1", "infinit"])
      assert.equal(parseFloatText(text), undefined, JSON.stringify(text));
  });
});

describe("parseIntText", () => {
  it("takes whole numbers alone", () => {
    assert.equal(parseIntText(" 007 ", explain), 7);
    assert.equal(parseIntText("1_000", explain), 1000);
    assert.throws(
      () => parseIntText("2.5", explain),
      raises("ValueError", "invalid literal for int() with base 10: '2.5'"),
    );
    assert.throws(() => parseIntText("", explain), raises("ValueError", "invalid literal for int() with base 10: ''"));
  });
});

describe("numbers", () => {
  it("keep their kind through min, max and sums", () => {
    assert.deepEqual(min(float(100), int(100)), float(100), "the first on ties");
    assert.deepEqual(min(float(100.5), int(100)), int(100));
    assert.deepEqual(max(int(1), float(1)), int(1));
    assert.deepEqual(max(int(1), float(1.5)), float(1.5));
    assert.deepEqual(min(float(Number.NaN), int(1)), float(Number.NaN), "nan as the first stays");
    assert.deepEqual(min(int(1), float(Number.NaN)), int(1), "nan as the second never wins");
    assert.deepEqual(add(int(1), int(2)), int(3));
    assert.deepEqual(add(int(1), float(2)), float(3));
  });

  it("are cut towards zero", () => {
    assert.deepEqual(
      [0.5, 1.5, -1.5, 100.9].map((value) => truncate(float(value), explain)),
      [0, 1, -1, 100],
    );
    assert.throws(
      () => truncate(float(Number.NaN), explain),
      raises("ValueError", "cannot convert float NaN to integer"),
    );
    assert.throws(
      () => truncate(float(Number.POSITIVE_INFINITY), explain),
      raises("OverflowError", "cannot convert float infinity to integer"),
    );
  });
});
