import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type JsonValue, MAX_JSON_DEPTH, parseJson } from "./json.ts";

/** The value as JSON.parse would give it (a repeated key's last value wins, as there). */
function plain(node: JsonValue): unknown {
  if (node.kind === "array") return node.items.map((item) => plain(item));
  if (node.kind !== "object") return node.kind === "null" ? null : node.value;
  const object: Record<string, unknown> = {};
  for (const { key, value } of node.entries) {
    Object.defineProperty(object, key, { value: plain(value), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

const faultsOf = (text: string): string[] =>
  parseJson(text).faults.map(({ line, column, reason }) => `${line}:${column} ${reason}`);

describe("parseJson", () => {
  test("reads whatever JSON.stringify writes, and agrees with JSON.parse", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(4), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        for (const source of [text, spaced]) {
          const { root, faults } = parseJson(source);
          assert.deepEqual(faults, []);
          assert.deepEqual(plain(root!), JSON.parse(source));
        }
      }),
    );
  });

  test("finds a fault in every text that JSON.parse refuses, and in no other", () => {
    const alphabet = [..."{}[]:,\"'\\ \n01e-.tnu#/".split(""), "true", "null", '"a"', "\\u00e9"];
    const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (source) => {
        let valid = true;
        try {
          JSON.parse(source);
        } catch {
          valid = false;
        }
        assert.equal(parseJson(source).faults.length === 0, valid);
      }),
      { numRuns: 3000 },
    );
  });

  test("keeps the file's order, also of keys that look like integers", () => {
    const { root } = parseJson('{"b": 1, "12": 2, "a": 3, "3": 4}');
    assert.ok(root?.kind === "object");
    assert.deepEqual(
      root.entries.map(({ key }) => key),
      ["b", "12", "a", "3"],
    );
  });

  test("keeps the spelling of numbers", () => {
    const { root } = parseJson("[0.1, 1e3, -2.50]");
    assert.ok(root?.kind === "array");
    assert.deepEqual(
      root.items.map((item) => item.kind === "number" && [item.text, item.value]),
      [
        ["0.1", 0.1],
        ["1e3", 1000],
        ["-2.50", -2.5],
      ],
    );
  });

  test("knows the place of keys, values and repeated keys", () => {
    const { root } = parseJson('{\r\n  "é": [1],\n  "b": 2, "é": 3\n}');
    assert.ok(root?.kind === "object");
    const [first, , again] = root.entries;
    assert.deepEqual([first!.line, first!.column, first!.value.line, first!.value.column], [2, 3, 2, 8]);
    assert.equal(first!.first, undefined);
    assert.deepEqual([again!.line, again!.column, again!.first], [3, 11, { line: 2, column: 3 }]);
  });

  test("refuses a tree of 10,000 levels instead of overflowing the stack", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const { root, faults } = parseJson(`${open.repeat(10_000)}1${close.repeat(10_000)}`);
      assert.equal(root, undefined);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!.reason, new RegExp(`deeper than ${MAX_JSON_DEPTH} levels`));
    }
  });

  const cases: Readonly<Record<string, readonly string[]>> = {
    "": ["1:1 there is nothing in it"],
    "  \n ": ["2:2 there is nothing in it"],
    "{,}": ["1:2 a comma with nothing before it", "1:2 the comma after the last entry of the object is one too many"],
    '{"a":1,}': ["1:7 the comma after the last entry of the object is one too many"],
    "[1,2,\n]": ["1:5 the comma after the last entry of the array is one too many"],
    "[1 2]": ["1:3 a comma is missing here"],
    '{"a":1\n"b":2}': ["1:7 a comma is missing here"],
    '{"a" 1}': ['1:6 found "1" where the colon after key "a" should stand'],
    '{"a"=1}': ['1:5 a colon stands between key and value, not "="'],
    '{"a":}': ['1:6 found "}" where a value should stand'],
    "{'a':1}": ["1:2 texts and keys need double quotes, not single ones"],
    "{a:1}": ['1:2 the key "a" needs double quotes'],
    '{"a":b}': ['1:6 the text "b" needs double quotes'],
    '{"a":7,5}': ["1:7 a decimal comma; write 7.5"],
    '{"a":[1}': ['1:8 found "}" where the array of line 1 needs "]"'],
    "[1\n": ["1:1 the array that opens here is never closed"],
    '["a\nb"]': ["1:2 the text that starts here has no end quote"],
    '["a\tb"]': ["1:4 a tab inside a text is written \\t"],
    '["\\x"]': ['1:3 "\\x" is no JSON escape; a backslash itself is written \\\\'],
    '["\\u12"]': ['1:3 "\\u" is no JSON escape; a backslash itself is written \\\\'],
    "[True]": ['1:2 "True" is no JSON; write true'],
    "[+1, 007, .5, 1_000, 5M]": [
      '1:2 "+1" is no JSON number; write 1',
      '1:6 "007" is no JSON number; write 7',
      '1:11 ".5" is no JSON number; write 0.5',
      '1:15 "1_000" is no JSON number; write 1000',
      '1:22 "5M" is no JSON number; write 5',
    ],
    "// a\n[1 /* b\n*/, 2] # c": ["1:1 JSON has no comments", "2:4 JSON has no comments", "3:8 JSON has no comments"],
    "{}}": ['1:3 found "}" after the end of the document'],
  };
  for (const [text, wanted] of Object.entries(cases)) {
    test(`says what is wrong with ${JSON.stringify(text)}`, () => assert.deepEqual(faultsOf(text), wanted));
  }

  test("stops after fifty faults", () => {
    assert.equal(faultsOf(`[${"1 ".repeat(500)}]`).length, 50);
  });
});
