import assert from "node:assert/strict";
import { test } from "node:test";
import type { Facts, LinkFact } from "./facts.ts";
import type { Rule, RuleOutput } from "./model.ts";
import { groupMac, isGroup, resolve, slotKeys } from "./resolve.ts";
import { Slots } from "./slots.ts";
import { addressBytes } from "../core/prefix.ts";

const link = (name: string, ifindex: number, more: Partial<LinkFact> = {}): [string, LinkFact] => [
  name,
  { ifindex, name, up: true, mtu: 1500, mac: Uint8Array.of(2, 0, 0, 0, 0, ifindex), ethernet: true, ...more },
];
const HOST = Uint8Array.of(2, 0, 0, 0, 1, 1);
const FACTS: Facts = {
  links: new Map([
    link("in0", 1),
    link("out0", 2),
    link("out1", 3, { up: false }),
    link("bare", 4),
    link("tun0", 5, { ethernet: false }),
    link("pair", 6, { singly: true }),
  ]),
  addresses: new Map([
    [2, { 4: "192.0.2.1", 6: "2001:db8::1" }],
    [5, { 4: "10.0.0.1" }],
  ]),
  mac: (ifindex, host) => (ifindex === 2 && host === "192.0.2.9" ? HOST : undefined),
};

const output = (more: Partial<RuleOutput> = {}): RuleOutput => ({
  interface: "out0",
  group: "239.2.2.2",
  port: 6000,
  ttl: 1,
  source: { kind: "rewrite" },
  ...more,
});
const rule = (outputs: readonly RuleOutput[], input: Partial<Rule["input"]> = {}): Rule => ({
  id: "r1",
  input: { interface: "in0", group: "239.1.1.1", port: 5000, ...input },
  outputs,
  engine: "auto",
  class: "normal",
  cap: {},
  origin: "static",
});
const resolved = (outputs: readonly RuleOutput[], input: Partial<Rule["input"]> = {}) => {
  const slots = new Slots(100);
  return resolve(rule(outputs, input), FACTS, (key) => slots.of(key)!);
};

test("names become numbers, choices become addresses, groups become hardware addresses", () => {
  const { state, plane } = resolved([
    output({ dscp: 34, ttl: 8 }),
    output({ group: "192.0.2.9", source: { kind: "preserve" } }),
  ]);
  assert.equal(state, "active");
  assert.deepEqual([plane?.ifindex, plane?.vlan, plane?.slot], [1, 0, 0]);
  const [group, host] = plane!.outputs;
  assert.deepEqual(
    { ...group, group: [...group!.group], source: [...group!.source!] },
    {
      slot: 1,
      ifindex: 2,
      device: "out0",
      group: [239, 2, 2, 2],
      port: 6000,
      ttl: 8,
      mtu: 1500,
      dscp: 34,
      source: [192, 0, 2, 1],
      ownMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
      mac: Uint8Array.of(1, 0, 0x5e, 2, 2, 2),
    },
  );
  assert.equal(host!.source, undefined, "the packet's own is kept");
  assert.equal(host!.mac, HOST);
  assert.equal(resolved([output({ group: "192.0.2.77" })]).plane!.outputs[0]!.mac, undefined, "not known yet");
});

test("what cannot be used is left out, for its reason, and nothing else suffers", () => {
  const { state, outputs, plane } = resolved([
    output({ interface: "none" }),
    output({ interface: "out1" }),
    output({ interface: "bare" }),
    output(),
  ]);
  assert.equal(state, "active");
  assert.deepEqual(
    outputs.map(({ reason }) => reason),
    ["interface none is not there", "interface out1 is down", "it has no IPv4 address to send from", undefined],
  );
  assert.deepEqual(
    plane!.outputs.map(({ slot }) => slot),
    [4],
  );
});

test("a rule waits for its input to appear, to come up, and for an output", () => {
  const state = (outputs: RuleOutput[], input = {}) => {
    const { state: word, reason, plane } = resolved(outputs, input);
    assert.equal(plane, undefined);
    return [word, reason];
  };
  assert.deepEqual(state([output()], { interface: "gone" }), ["pending", "interface gone is not there"]);
  assert.deepEqual(state([output()], { interface: "out1" }), ["paused", "interface out1 is down"]);
  assert.deepEqual(state([output({ interface: "bare" })]), ["idle", "none of its outputs can be used"]);
});

test("tunnels need no hardware address, and an address that is named is taken", () => {
  const [tunnel] = resolved([output({ interface: "tun0", source: { kind: "address", address: "10.9.9.9" } })]).plane!
    .outputs;
  assert.deepEqual([tunnel!.mac, tunnel!.ownMac, [...tunnel!.source!]], [undefined, undefined, [10, 9, 9, 9]]);
});

test("an output behind which nobody could take a train of datagrams apart says so", () => {
  const source = { kind: "address", address: "10.9.9.9" } as const;
  const { plane } = resolved([output(), output({ interface: "pair", source })]);
  assert.deepEqual(
    plane!.outputs.map(({ singly }) => singly),
    [undefined, true],
  );
});

test("IPv6 has the address and the hardware address of its family", () => {
  const { plane } = resolved([output({ group: "ff3e::8000:1" })], { group: "ff3e::1" });
  assert.equal(plane!.outputs[0]!.source!.length, 16);
  assert.deepEqual(plane!.outputs[0]!.mac, Uint8Array.of(0x33, 0x33, 0x80, 0, 0, 1));
});

test("groups and their hardware addresses", () => {
  for (const [address, is] of [
    ["224.0.0.1", true],
    ["239.255.1.2", true],
    ["240.0.0.1", false],
    ["192.0.2.1", false],
    ["ff02::1", true],
    ["fe80::1", false],
  ] as const)
    assert.equal(isGroup(addressBytes(address)), is, address);
  // Of 28 bits only 23 get into it: the highest is lost.
  assert.deepEqual(groupMac(addressBytes("239.129.2.3")), Uint8Array.of(1, 0, 0x5e, 1, 2, 3));
});

test("an output's counters go on when another is added before it", () => {
  const [, before] = slotKeys(rule([output()]));
  const [, , after] = slotKeys(rule([output({ port: 7 }), output()]));
  assert.equal(before, after);
});
