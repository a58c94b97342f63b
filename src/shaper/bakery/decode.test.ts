import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeCommand } from "./decode.ts";

const CLASS = { interface: "eth1", parent: "0x1:0x3", classid: "0x4", rate_mbps: 1, ceil_mbps: 105.5 };

const messages = (json: unknown): string[] => {
  const found = decodeCommand(json);
  assert.ok(Array.isArray(found), "it is taken");
  return (found as readonly { message: string }[]).map(({ message }) => message);
};

describe("decodeCommand()", () => {
  test("reads every command in LibreQoS's names", () => {
    assert.deepEqual(decodeCommand({ command: "MqSetup" }), { kind: "MqSetup" });
    assert.deepEqual(decodeCommand({ command: "ClearPriorSettings" }), { kind: "ClearPriorSettings" });
    const common = { interface: "eth1", parent: "0x1:0x3", classid: "0x4", rateMbps: 1, ceilMbps: 105.5 };
    assert.deepEqual(decodeCommand({ command: "AddStructuralHTBClass", ...CLASS, site_hash: 7, r2q: 2084 }), {
      kind: "AddStructuralHTBClass",
      ...common,
      siteHash: 7n,
      r2q: 2084,
    });
    const qdisc = { interface: "eth1", parent_major: 1, parent_minor: 4, circuit_hash: 9, sqm_params: ["cake", "nat"] };
    assert.deepEqual(decodeCommand({ command: "AddCircuitQdisc", ...qdisc }), {
      kind: "AddCircuitQdisc",
      interface: "eth1",
      parentMajor: 1,
      parentMinor: 4,
      circuitHash: 9n,
      sqmParams: ["cake", "nat"],
    });
    assert.deepEqual(decodeCommand({ command: "ExecuteTCCommands", commands: ["qdisc del dev a root"] }), {
      kind: "ExecuteTCCommands",
      commands: ["qdisc del dev a root"],
      forceMode: false,
    });
  });

  test("what Python leaves out is what Python takes for it; null counts as left out", () => {
    const found = decodeCommand({ command: "AddCircuitHTBClass", ...CLASS, circuit_hash: 1, comment: null });
    assert.ok("r2q" in found && found.r2q === 10 && !("comment" in found));
  });

  test("hashes keep all 64 bits as texts, and are refused as numbers that cannot have been kept", () => {
    const read = (hash: unknown) => decodeCommand({ command: "AddCircuitHTBClass", ...CLASS, circuit_hash: hash });
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (hash) => {
        const found = read(String(hash));
        assert.ok("circuitHash" in found && found.circuitHash === hash);
      }),
    );
    for (const hash of [2 ** 53, 1.5, "9223372036854775808", "0x10", "", null])
      assert.match(
        messages({ command: "AddCircuitHTBClass", ...CLASS, circuit_hash: hash }).join(),
        /circuit_hash: it is .*, wanted a signed 64-bit number/,
      );
  });

  test("everything that is wrong is told at once, with what was wanted", () => {
    const found = messages({
      command: "AddStructuralHTBClass",
      interface: "eth 1",
      parent: "1",
      classid: 4,
      rate_mbps: -1,
      ceil_mbps: Number.NaN,
      site_hash: 0,
      r2q: 0,
      colour: "red",
    });
    const fields = found.map((message) => /^Cannot take AddStructuralHTBClass\.(\w+): /.exec(message)?.[1]);
    assert.deepEqual(fields, ["colour", "interface", "parent", "classid", "rate_mbps", "ceil_mbps", "r2q"]);
    assert.match(found[2]!, /it is "1", wanted a class such as 0x1:0x3/);
  });

  test("lines that are not about qdiscs and classes are refused, the first by its number", () => {
    const commands = ["qdisc del dev a root", "filter add dev a", "exec bpf"];
    assert.match(
      messages({ command: "ExecuteTCCommands", commands })[0]!,
      /line 2: "filter" is neither qdisc nor class/,
    );
    const sqm = { interface: "a", parent_major: 1, parent_minor: 1, circuit_hash: 1 };
    for (const sqm_params of [[], ["cake; rm"], ["cake\nfilter"], "cake"])
      assert.match(messages({ command: "AddCircuitQdisc", ...sqm, sqm_params })[0]!, /sqm_params/);
  });

  test("anything at all gives a command or problems, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.object()), (json) => {
        const found = decodeCommand(json);
        assert.ok(Array.isArray(found) ? found.length > 0 : "kind" in found);
      }),
    );
    for (const command of ["__proto__", "toString", "constructor"])
      assert.ok(Array.isArray(decodeCommand({ command })));
  });
});
