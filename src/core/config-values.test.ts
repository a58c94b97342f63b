import assert from "node:assert/strict";
import { test } from "node:test";
import { interfaceName, Refusal } from "./config-values.ts";

const isTaken = (name: unknown): boolean => !(interfaceName(name) instanceof Refusal);

test("interfaces are named as Linux lets them be", () => {
  for (const name of ["eth0", "br-lan.7", "a@b", "-x", "0", "...", "1234567890abcde", "é".repeat(7)])
    assert.ok(isTaken(name), name);
});

test("whatever Linux refuses as a name is refused", () => {
  const long = ["1234567890abcdef", "é".repeat(8)];
  for (const name of ["", ".", "..", "a b", "a\tb", "eth0\n", "a/b", "eth0:1", "a\0b", ...long, 5])
    assert.ok(!isTaken(name), JSON.stringify(name));
});
