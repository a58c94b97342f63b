import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slots } from "./slots.ts";

test("a slot stays its own until it is given back, and then it is another's", () => {
  const slots = new Slots(2);
  assert.deepEqual([slots.of("a"), slots.of("b"), slots.of("a"), slots.of("c")], [0, 1, 0, undefined]);
  assert.deepEqual(slots.keep(new Set(["b"])), [0]);
  assert.deepEqual([slots.of("c"), slots.of("b"), slots.size], [0, 1, 2]);
});

test("no two have the same slot, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.nat(20), { maxLength: 12 })), (rounds) => {
      const slots = new Slots(12);
      for (const round of rounds) {
        const keys = round.map(String);
        slots.keep(new Set(keys));
        const given = keys.map((key) => slots.of(key));
        assert.ok(!given.includes(undefined));
        assert.equal(new Set(given).size, keys.length);
        assert.equal(slots.size, keys.length);
      }
    }),
  );
});
