import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../core/config-values.ts";
import { handle } from "../../core/tc/handle.ts";
import type { TargetSpec } from "../config.ts";
import { collide, TARGET, targetText } from "./target.ts";

const read = (text: string): TargetSpec => {
  const target = TARGET.read(text);
  assert.ok(!(target instanceof Refusal), text);
  return target;
};

test("a target is read as it is written", () => {
  assert.deepEqual(read("cake ifb4wan"), { kind: "cake", device: "ifb4wan" });
  assert.deepEqual(read(" tbf  wan "), { kind: "tbf", device: "wan" });
  assert.deepEqual(read("htb eth1 1:2a"), { kind: "htb", device: "eth1", classid: handle(1, 0x2a) });
  for (const text of ["cake ifb4wan", "tbf wan", "htb eth1 1:2a"]) assert.equal(targetText(read(text)), text);
  assert.equal(targetText({ kind: "auto", device: "wan" }), "wan");
  assert.equal(targetText({ kind: "site", name: "Tower 1" }), 'site "Tower 1"');
});

test("what is none is refused with what is wanted", () => {
  const texts = [
    "",
    "cake",
    "cake a b",
    "htb eth1",
    "htb eth1 1:2 x",
    "fq_codel eth0",
    "cake much_too_long_a_name",
    "wan",
  ];
  for (const text of texts) {
    const refused = TARGET.read(text);
    assert.ok(refused instanceof Refusal && refused.reason.includes('wanted "cake INTERFACE"'), text);
  }
  for (const id of ["1:", "root", "0:1", "1:zz", "12"]) {
    const refused = TARGET.read(`htb eth1 ${id}`);
    assert.ok(refused instanceof Refusal && refused.reason.includes(`"${id}" is no class`), id);
  }
  assert.ok(TARGET.read(5) instanceof Refusal);
});

test("what one sets, another must not", () => {
  const pairs: [string, string, boolean][] = [
    ["cake wan", "tbf wan", true],
    ["cake wan", "cake lan", false],
    ["htb wan 1:1", "htb wan 1:1", true],
    ["htb wan 1:1", "htb wan 1:2", false],
    ["htb wan 1:1", "cake wan", true],
  ];
  for (const [a, b, expected] of pairs) assert.equal(collide(read(a), read(b)), expected, `${a}, ${b}`);
  const site = (name: string): TargetSpec => ({ kind: "site", name });
  assert.equal(collide(site("A"), site("A")), true);
  assert.equal(collide(site("A"), site("B")), false);
  assert.equal(collide(site("A"), read("cake A")), false);
});
