import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyPlaneRule } from "../../../test/helpers/plane-rules.ts";
import { decodeRule, encodeRule, type WireRule } from "./rule-codec.ts";

test("a rule comes back from its text as it was", () => {
  fc.assert(
    fc.property(anyPlaneRule, (rule) => {
      const text = JSON.stringify(encodeRule(rule));
      assert.deepEqual(decodeRule(JSON.parse(text) as WireRule), rule);
    }),
  );
});

test("the text does not depend on the order of keys", () => {
  fc.assert(
    fc.property(anyPlaneRule, (rule) => {
      const turned = Object.fromEntries(Object.entries(rule).toReversed()) as unknown as typeof rule;
      assert.equal(JSON.stringify(encodeRule(turned)), JSON.stringify(encodeRule(rule)));
    }),
  );
});
