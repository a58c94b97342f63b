import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slots } from "./slots.ts";

test("a slot stays its own until it is given back, and another's only some time later", () => {
  const slots = new Slots(3);
  assert.deepEqual(
    [slots.of("a"), slots.of("b"), slots.of("a"), slots.of("c"), slots.of("d")],
    [0, 1, 0, 2, undefined],
  );
  slots.keep(new Set(["b", "c"]));
  assert.deepEqual([slots.has("a"), slots.has("b"), slots.of("d")], [false, true, undefined]);
  slots.keep(new Set(["b", "c"]));
  assert.deepEqual([slots.of("d"), slots.of("b"), slots.size, slots.highest], [0, 1, 3, 2]);
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
