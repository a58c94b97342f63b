import assert from "node:assert/strict";
import { test } from "node:test";
import { takeIdentifier } from "./identifier.ts";

test("identifiers are distinct, share their upper half, and come back", () => {
  using owned = new DisposableStack();
  const random = (): number => 0.5;
  const numbers = Array.from({ length: 256 }, () => owned.use(takeIdentifier(random)).number);
  assert.equal(new Set(numbers).size, 256);
  assert.deepEqual([...new Set(numbers.map((number) => number >>> 8))], [128]);
  assert.throws(() => takeIdentifier(random), /every ICMP identifier is taken/);
  owned.dispose();
  using again = takeIdentifier(() => 0.999);
  assert.equal(again.number, 0xffff);
});
