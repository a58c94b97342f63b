import assert from "node:assert/strict";
import { test } from "node:test";
import { importMcr } from "./import.ts";

const CONFIG = `{
  // Comments and all that JSON5 allows.
  pinning: { eth0: [0, 1] },
  multicast_ttl: 5,
  rules: [
    {
      name: 'video',
      input: { interface: "eth0", group: "239.1.1.1", port: 5000, },
      outputs: [
        { group: "239.2.2.2", port: 6000, interface: "eth1", ttl: 8 },
        { group: "10.0.0.7", port: 7000, interface: "wg0" },
      ],
    },
    { input: { interface: "eth0", group: "239.1.1.9", port: 0, protocol: "esp" }, outputs: [] },
  ],
  pim: { enabled: true },
}`;

test("rules, TTL and pinning are carried over, and what is not is named", () => {
  const { toml, rules, notes, warnings } = importMcr(CONFIG, "mcr.json5");
  assert.equal(rules, 1);
  assert.deepEqual(warnings, []);
  assert.equal(notes.length, 2);
  assert.match(notes[0]!, /^pim is left out/);
  assert.match(notes[1]!, /^1 of its rules are left out: they are not about UDP/);
  assert.equal(
    toml.trim(),
    `[relay]
ttl = 5

[relay.pinning]
eth0 = [ 0, 1 ]

[[relay.rules]]
name = "video"
interface = "eth0"
group = "239.1.1.1"
port = 5000

[[relay.rules.outputs]]
interface = "eth1"
group = "239.2.2.2"
port = 6000
ttl = 8

[[relay.rules.outputs]]
interface = "wg0"
group = "10.0.0.7"
port = 7000`,
  );
});

test("a text that is no JSON5 is refused with its place, and rules that cannot be with all their faults", () => {
  assert.throws(() => importMcr("{ rules: [\n ,]}", "mcr.json5"), /mcr\.json5:2:2: error: .*invalid character ','/);
  assert.throws(() => importMcr("7", "mcr.json5"), /it is no object/);
  const bad = `{ rules: [{ input: { interface: "eth0", port: 70000 }, outputs: [{ interface: "eth1", ttl: 0 }] }, {}] }`;
  assert.throws(
    () => importMcr(bad, "mcr.json5"),
    ({ problems }: { problems: { message: string }[] }) => {
      const text = problems.map(({ message }) => message).join("\n");
      for (const part of ["relay.rules.0.group", "relay.rules.0.port", "relay.rules.1.interface"])
        assert.ok(text.includes(part), `${part} in ${text}`);
      return true;
    },
  );
});
