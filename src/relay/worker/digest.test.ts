import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyPlaneRule } from "../../../test/helpers/plane-rules.ts";
import { RuleDigest } from "./digest.ts";
import { encodeRule } from "./rule-codec.ts";

const distinct = fc.uniqueArray(anyPlaneRule, { selector: ({ id }) => id, maxLength: 8 });

test("the same rules have the same hash, whatever was done before", () => {
  fc.assert(
    fc.property(distinct, distinct, (rules, others) => {
      const [one, other] = [new RuleDigest(), new RuleDigest()];
      for (const rule of rules) one.set(encodeRule(rule));
      for (const rule of [...others, ...rules.toReversed(), ...rules]) other.set(encodeRule(rule));
      for (const { id } of others) if (!rules.some((rule) => rule.id === id)) assert.equal(other.drop(id), true);
      assert.deepEqual([other.hash, other.count], [one.hash, one.count]);
      assert.match(one.hash, /^[0-9a-f]{16}$/);
    }),
  );
});

test("another rule is another hash", () => {
  fc.assert(
    fc.property(anyPlaneRule, (rule) => {
      const digest = new RuleDigest();
      const empty = digest.hash;
      digest.set(encodeRule(rule));
      const { hash } = digest;
      assert.notEqual(hash, empty);
      digest.set(encodeRule({ ...rule, port: rule.port ^ 1 }));
      assert.notEqual(digest.hash, hash);
      assert.equal(digest.drop("no such id, which is longer than any"), false);
      digest.clear();
      assert.deepEqual([digest.hash, digest.count], [empty, 0]);
    }),
  );
});
