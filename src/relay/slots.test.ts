import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slots } from "./slots.ts";

test("a slot stays its own until it is given back, and another's only some time later, if there are others", () => {
  const slots = new Slots(3);
  assert.deepEqual([slots.of("a"), slots.of("b"), slots.of("a")], [0, 1, 0]);
  slots.keep(new Set(["b"]));
  assert.deepEqual([slots.has("a"), slots.has("b"), slots.of("c")], [false, true, 2]);
  slots.keep(new Set(["b", "c"]));
  assert.deepEqual([slots.of("d"), slots.of("b"), slots.of("e"), slots.size, slots.highest], [0, 1, undefined, 3, 2]);
  slots.keep(new Set(["b", "c"]));
  assert.equal(slots.of("e"), 0, "there is no other");
});

test("no two have the same slot, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.nat(20), { maxLength: 12 })), (rounds) => {
      const slots = new Slots(24);
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
