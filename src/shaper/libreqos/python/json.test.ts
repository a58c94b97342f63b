import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dumpJson, dumpText, loadJson } from "./json.ts";
import { float, int } from "./number.ts";

describe("loadJson", () => {
  it("keeps order, the last value of a repeated key, and the kind of numbers", () => {
    const value = loadJson('{"b": 1, "12": 1.0, "b": 1e3, "c": true}');
    assert.deepEqual(
      value,
      new Map<string, unknown>([
        ["b", float(1000)],
        ["12", float(1)],
        ["c", true],
      ]),
    );
    assert.deepEqual(loadJson("-0"), int(0));
  });

  it("takes Python's extras, and nothing else that is no JSON", () => {
    assert.deepEqual(loadJson("[NaN, -Infinity]"), [float(Number.NaN), float(Number.NEGATIVE_INFINITY)]);
    for (const text of ["", "{", "[1,]", "{'a': 1}", "-NaN", "nan", "\uFEFF{}", '"\n"', "01", "// c\n{}"])
      assert.equal(loadJson(text), undefined, JSON.stringify(text));
  });
});

describe("dumpJson", () => {
  it("writes what json.dumps(indent=4) writes", () => {
    const value = loadJson('{"a": [], "b": {}, "c": [1, 2.0, null, true], "ü": "😀\\u007f\\"\\\\\\n/"}')!;
    assert.equal(
      dumpJson(value),
      `{
    "a": [],
    "b": {},
    "c": [
        1,
        2.0,
        null,
        true
    ],
    "\\u00fc": "\\ud83d\\ude00\\u007f\\"\\\\\\n/"
}`,
    );
    assert.equal(
      dumpJson(loadJson("[NaN, Infinity, -Infinity, 1e16, 123456789012345678901]")!),
      `[
    NaN,
    Infinity,
    -Infinity,
    1e+16,
    123456789012345678901
]`,
    );
  });

  it("writes what reads back as the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const value = loadJson(JSON.stringify(json))!;
        assert.deepEqual(loadJson(dumpJson(value)), value);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.match(dumpText(text), /^[ -~]*$/);
        assert.equal(JSON.parse(dumpText(text)), text);
      }),
    );
  });
});
