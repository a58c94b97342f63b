import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Refusal } from "../../core/config-values.ts";
import {
  ADDRESS,
  FLAG,
  INTERFACE,
  NODE,
  number,
  PATH,
  PATHS,
  RATE,
  SCALAR,
  type ValueType,
  whole,
  word,
  words,
} from "./value-type.ts";

const reason = (type: ValueType<unknown>, value: unknown): string => {
  const read = type.read(value);
  return read instanceof Refusal ? read.reason : `taken as ${JSON.stringify(read)}`;
};

test("numbers within their bounds", () => {
  const share = number(0, 1);
  for (const value of [0, 0.5, 1]) assert.equal(share.read(value), value);
  for (const value of [-0.1, 1.1, Number.NaN, Infinity, "0.5", true])
    assert.match(reason(share, value), /wanted a number from 0 to 1$/);
  assert.match(reason(whole(1, 5, "s"), 2.5), /it is 2.5, wanted a whole number from 1 to 5 s/);
  assert.equal(whole(1, 5, "s").wanted, "1 to 5 s");
});

test("words, and lists of them without repetition", () => {
  const modes = words("a", "b", "c");
  assert.deepEqual(modes.read(["c", "a"]), ["c", "a"]);
  assert.match(reason(modes, ["a", "x"]), /entry 2: it is "x", wanted one of "a", "b", "c"/);
  assert.match(reason(modes, ["a", "a"]), /"a" stands in it twice/);
  assert.match(reason(modes, []), /it is empty/);
  assert.match(reason(modes, "a"), /wanted a list of words, such as \["a","b","c"\]/);
  assert.match(reason(word("on", "off"), true), /it is true, wanted one of "on", "off"/);
});

test("truths without quotes, addresses, names, paths, plain values", () => {
  assert.match(reason(FLAG, "true"), /it is "true", wanted true or false, without quotes/);
  assert.equal(ADDRESS.read("2001:db8::1"), "2001:db8::1");
  assert.match(reason(ADDRESS, "wan"), /IPv4 or IPv6/);
  assert.match(reason(NODE, "  "), /name of a node/);
  assert.match(reason(PATHS, ["/a", ""]), /entry 2: .*path of a file/);
  assert.equal(RATE.read("2.5mbit"), 2500);
  assert.equal(RATE.read(2500), 2500);
  for (const value of [Number.NaN, [], new Date(0), { a: 1 }, undefined])
    assert.match(reason(SCALAR, value), /wanted a number/);
});

test("no value makes any of them throw", () => {
  const types = [
    ADDRESS,
    FLAG,
    INTERFACE,
    NODE,
    PATH,
    PATHS,
    RATE,
    SCALAR,
    number(0, 1),
    whole(0, 1),
    word("a"),
    words("a"),
  ];
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const type of types) assert.equal(typeof reason(type, value), "string");
    }),
  );
});
