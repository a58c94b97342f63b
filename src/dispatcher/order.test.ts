import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inOrder, type Ranked } from "./order.ts";

const member = (priority: number, fresh: boolean, name: string, linkId: number): Ranked => ({
  priority,
  fresh,
  name,
  linkId,
});

test("priority decides, then the newcomer, then the name, then the younger link", () => {
  const wanted = [
    member(0, false, "z", 1),
    member(50, true, "b", 9),
    member(50, false, "a", 2),
    member(50, false, "b", 8),
    member(50, false, "b", 3),
    member(51, true, "a", 10),
  ];
  assert.deepEqual(inOrder(wanted.toReversed()), wanted);
});

test("the order does not depend on how the members came", () => {
  const ranked = fc.record({
    priority: fc.nat({ max: 3 }),
    fresh: fc.boolean(),
    name: fc.constantFrom("a", "b"),
    linkId: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(ranked, { selector: ({ linkId }) => linkId }), (members) => {
      assert.deepEqual(inOrder(members.toReversed()), inOrder(members));
      assert.deepEqual(inOrder(inOrder(members)), inOrder(members));
    }),
  );
});
