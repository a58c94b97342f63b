import assert from "node:assert/strict";
import { test } from "node:test";
import { sipHash13 } from "../../core/siphash.ts";
import { ruleId } from "./id.ts";

test("ids are those that MCR makes of the same input", () => {
  assert.equal(ruleId({ interface: "eth0", group: "239.1.1.1", port: 5000 }), "18302982b59d5f86");
});

test("whatever a rule takes is in its id", () => {
  const input = { interface: "eth0", group: "239.1.1.1", port: 5000 };
  const others = [
    input,
    { ...input, interface: "eth1" },
    { ...input, group: "239.1.1.2" },
    { ...input, group: "ff3e::1" },
    { ...input, port: 5001 },
    { ...input, source: "10.0.0.1" },
    { ...input, vlan: 10 },
    { ...input, source: "10.0.0.1", vlan: 10 },
  ];
  const ids = others.map((other) => ruleId(other));
  assert.equal(new Set(ids).size, others.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
});

test("source and VLAN follow what MCR has, in bytes that never change: ids are kept", () => {
  const bytes = (...values: readonly number[]): string =>
    sipHash13(Uint8Array.from(values)).toString(16).padStart(16, "0");
  const mcr = [0x65, 0xff, 239, 1, 1, 1, 0x88, 0x13, 17];
  const input = { interface: "e", group: "239.1.1.1", port: 5000 };
  assert.equal(ruleId(input), bytes(...mcr));
  assert.equal(ruleId({ ...input, source: "10.0.0.7", vlan: 258 }), bytes(...mcr, 0xfe, 10, 0, 0, 7, 0xfd, 0x02, 0x01));
  const group = [0xff, 0x3e, ...Buffer.alloc(13), 1];
  assert.equal(ruleId({ interface: "e", group: "ff3e::1", port: 0 }), bytes(0x65, 0xff, ...group, 0, 0, 17));
});
