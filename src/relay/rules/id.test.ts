import assert from "node:assert/strict";
import { test } from "node:test";
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
