import assert from "node:assert/strict";
import { test } from "node:test";
import { luaLimit, luaNumber } from "./lua-number.ts";

test("numbers as Lua 5.1 reads them", () => {
  const read: [string, number | undefined][] = [
    ["10000", 10_000],
    [" 7.5 ", 7.5],
    ["1e3", 1000],
    [".5", 0.5],
    ["5.", 5],
    ["0x10", 16],
    ["-0x10", -16],
    ["inf", Infinity],
    ["-infinity", -Infinity],
    ["nan", Number.NaN],
    ["", undefined],
    ["abc", undefined],
    ["10 kbit", undefined],
    ["1,5", undefined],
  ];
  for (const [text, value] of read) assert.equal(luaNumber(text), value, text);
});

test("bounds as min and max of Lua set them", () => {
  assert.deepEqual(
    [-5, 0, 50, 95].map((value) => luaLimit(value, 1, 80)),
    [1, 1, 50, 80],
  );
  assert.ok(Number.isNaN(luaLimit(Number.NaN, 1, 80)));
});
