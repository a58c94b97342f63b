import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Packet } from "./packet.ts";
import { RuleTable, type TableKey } from "./table.ts";

const word = (bytes: Uint8Array, at: number): number => Buffer.from(bytes).readInt32BE(at);

function packetOf(group: Uint8Array, source: Uint8Array, port: number, vlan = 0): Packet {
  const packet = new Packet();
  for (let at = 0; at < group.length; at += 4) {
    packet.destination[at / 4] = word(group, at);
    packet.source[at / 4] = word(source, at);
  }
  return Object.assign(packet, { port, vlan });
}

const G = Uint8Array.of(239, 1, 1, 1);
const S = Uint8Array.of(192, 0, 2, 1);
const T = Uint8Array.of(192, 0, 2, 2);

test("the source is looked at before the port", () => {
  const table = new RuleTable(4);
  const found = (source = S, port = 5000) => table.lookup(packetOf(G, source, port));
  assert.equal(found(), -1);
  table.set("any", { group: G, port: 0, vlan: 0 }, 0);
  assert.equal(found(), 0);
  table.set("port", { group: G, port: 5000, vlan: 0 }, 1);
  assert.equal(found(), 1);
  table.set("source", { group: G, port: 0, source: S, vlan: 0 }, 2);
  assert.equal(found(), 2);
  table.set("both", { group: G, port: 5000, source: S, vlan: 0 }, 3);
  assert.deepEqual([found(), found(S, 1), found(T), found(T, 1)], [3, 2, 1, 0]);
  assert.equal(table.size, 4);
});

test("a rule is for one VLAN", () => {
  const table = new RuleTable(4);
  table.set("a", { group: G, port: 0, vlan: 7 }, 1);
  assert.deepEqual(
    [0, 6, 7, 4094].map((vlan) => table.lookup(packetOf(G, S, 9, vlan))),
    [-1, -1, 1, -1],
  );
});

test("of two rules that match the same the last is found, and the other one again when it is gone", () => {
  const table = new RuleTable(4);
  const key = { group: G, port: 5000, vlan: 0 };
  table.set("a", key, 0);
  table.set("b", key, 1);
  assert.equal(table.lookup(packetOf(G, S, 5000)), 1);
  assert.ok(table.delete("b"));
  assert.equal(table.lookup(packetOf(G, S, 5000)), 0);
  table.set("b", key, 1);
  assert.ok(table.delete("a"));
  assert.equal(table.lookup(packetOf(G, S, 5000)), 1);
  assert.equal(table.delete("a"), false);
});

const address = (family: 4 | 6) =>
  fc
    .uint8Array({ minLength: 1, maxLength: 1, max: 5 })
    .map(([last]) => Uint8Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => (i % 4 === 3 ? last! : 239)));
const port = fc.integer({ min: 0, max: 3 });
const vlan = fc.integer({ min: 0, max: 1 });

for (const family of [4, 6] as const) {
  test(`it finds what a list would, whatever was set and removed, IPv${family}`, () => {
    const key = fc.record(
      { group: address(family), port, vlan, source: address(family) },
      { requiredKeys: ["group", "port", "vlan"] },
    );
    const id = fc.integer({ min: 0, max: 60 }).map((number) => `r${number}`);
    const step = fc.record({ id, key: fc.option(key) });
    const packets = fc.array(fc.tuple(address(family), address(family), port, vlan), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), packets, (steps, asked) => {
        const table = new RuleTable(family);
        const list = new Map<string, TableKey & { readonly value: number }>();
        for (const [value, { id: name, key: wanted }] of steps.entries()) {
          list.delete(name);
          if (wanted) {
            list.set(name, { ...wanted, value });
            table.set(name, wanted, value);
          } else table.delete(name);
        }
        for (const [group, source, number, tag] of asked) {
          const same = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0;
          const rank = (rule: TableKey) => (rule.source ? 2 : 0) + (rule.port === 0 ? 0 : 1);
          const matching = [...list.values()].filter(
            (rule) =>
              same(rule.group, group) &&
              rule.vlan === tag &&
              (!rule.source || same(rule.source, source)) &&
              (rule.port === 0 || rule.port === number),
          );
          const best = matching.reduce<(typeof matching)[number] | undefined>(
            (found, rule) => (!found || rank(rule) >= rank(found) ? rule : found),
            undefined,
          );
          assert.equal(table.lookup(packetOf(group, source, number, tag)), best?.value ?? -1);
        }
      }),
    );
  });
}

test("43: ten thousand rules are all found, and forgotten one by one", () => {
  const table = new RuleTable(4);
  const group = (index: number) => Uint8Array.of(239, 0, index >>> 8, index & 0xff);
  const all = Array.from({ length: 10_000 }, (_, index) => index);
  for (const index of all) table.set(`r${index}`, { group: group(index), port: 5000, vlan: 0 }, index);
  for (const index of all) assert.equal(table.lookup(packetOf(group(index), S, 5000)), index);
  for (const index of all.filter((each) => each % 3 > 0)) table.delete(`r${index}`);
  for (const index of all) assert.equal(table.lookup(packetOf(group(index), S, 5000)), index % 3 === 0 ? index : -1);
});
