import assert from "node:assert/strict";
import { test } from "node:test";
import { SluiceError } from "../../core/errors.ts";
import { parseRuleWords, parseTrafficPlace } from "./words.ts";

const parseInput = (input: string) => {
  const { interface: device, group, port } = parseRuleWords({ input, outputs: [] });
  return { interface: device, group, port };
};
const parseOutput = (text: string) => parseRuleWords({ input: "239.1.1.1:1@eth0", outputs: [text] }).outputs[0]!;

test("what comes in, in either family, with a port or any", () => {
  const input = (text: string) => Object.values(parseInput(text));
  assert.deepEqual(input("239.1.1.1:5000@eth0"), ["eth0", "239.1.1.1", 5000]);
  assert.deepEqual(input("239.1.1.1:any@eth0.10"), ["eth0.10", "239.1.1.1", 0]);
  assert.deepEqual(input("[ff3e::1]:5000@eth0"), ["eth0", "ff3e::1", 5000]);
});

test("where copies go, from a bare interface to every option", () => {
  assert.deepEqual(parseOutput("eth1"), { interface: "eth1" });
  assert.deepEqual(parseOutput("239.2.2.2@eth1"), { interface: "eth1", group: "239.2.2.2" });
  assert.deepEqual(parseOutput("ff3e::2@eth1"), { interface: "eth1", group: "ff3e::2" });
  assert.deepEqual(parseOutput("[ff3e::2]:7@eth1,ttl=8,dscp=34,source=preserve"), {
    interface: "eth1",
    group: "ff3e::2",
    port: 7,
    ttl: 8,
    dscp: 34,
    source: "preserve",
  });
  assert.equal(parseOutput("eth1,source=192.0.2.1").source, "192.0.2.1");
});

test("what cannot be read is said with what was wanted", () => {
  for (const text of ["eth0", "239.1.1.1@eth0", ":5000@eth0", "239.1.1.1:5000@", "239.1.1.1:x@eth0", "ff3e::1@eth0"])
    assert.throws(() => parseInput(text), /wanted/, text);
  for (const text of ["eth1,ttl", "eth1,ttl=x", "eth1,tll=3", "eth1,source="])
    assert.throws(() => parseOutput(text), /wanted/, text);
});

test("all words that cannot be read are told at once", () => {
  const outputs = ["eth1", "eth2,tll=3", "eth3,ttl=x"];
  assert.throws(
    () => parseRuleWords({ input: "eth0", outputs, maxRate: "fast" }),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      const told = error.problems.map(({ message }) => /"(\w+(?:=\w)?)"/.exec(message)?.[1]);
      assert.deepEqual(told, ["eth0", "tll=3", "x", "fast"]);
      return true;
    },
  );
  assert.equal(parseRuleWords({ input: "239.1.1.1:1@eth0", outputs: [], maxRate: "20Mbit" }).maxBitsPerSecond, 2e7);
});

test("places of traffic are an address, a port and an interface", () => {
  const { text, address, ...place } = parseTrafficPlace("239.1.1.1:5000@eth0", "x");
  assert.deepEqual(
    [text, [...address], place],
    ["239.1.1.1:5000@eth0", [239, 1, 1, 1], { device: "eth0", port: 5000 }],
  );
  assert.equal(parseTrafficPlace("[ff3e::1]:5000@eth0", "x").address.length, 16);
  for (const bad of [
    "eth0",
    "239.1.1.1@eth0",
    "239.1.1.1:0@eth0",
    "239.1.1.1:any@eth0",
    "239.1.1:1@eth0",
    "239.1.1.1:65536@eth0",
  ])
    assert.throws(() => parseTrafficPlace(bad, "x"), /wanted|port/, bad);
});
