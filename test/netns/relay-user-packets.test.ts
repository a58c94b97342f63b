/** What the user plane makes of packets that are not plain ones, and of its rules; on the kernel. */
import assert from "node:assert/strict";
import { readSync, writeSync } from "node:fs";
import { test } from "node:test";
import { addressBytes } from "../../src/core/prefix.ts";
import { check } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { kernelConfig } from "../../src/linux/features.ts";
import { eventfd } from "../../src/linux/ffi.ts";
import { knowsAggregates } from "../../src/linux/packet/ring.ts";
import type { PlaneRule } from "../../src/relay/model.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { numbered, RelayLab } from "../helpers/relay-lab.ts";
import { readUdp, type SeenUdp } from "../helpers/datagram-frame.ts";
import { UdpSender } from "../helpers/udp-socket.ts";

checkFds();

const RULE: PlaneRule = {
  id: "r",
  slot: 0,
  ifindex: 1,
  group: addressBytes("239.1.1.1"),
  port: 0,
  vlan: 0,
  class: "normal",
  cap: {},
  outputs: [],
};

const NO_AGGREGATES = "kernels before 6.2 do not say how long the datagrams of an aggregate are";
const MODES = ["throughput", "latency"] as const;

for (const mode of MODES) {
  test(`aggregates of datagrams are taken apart as they were put together, by a ${mode} ring`, (t) => {
    if (!knowsAggregates()) return t.skip(NO_AGGREGATES);
    using lab = new RelayLab({ outputs: 2, offloads: true });
    using plane = lab.plane({ mode });
    const outputs = [{ group: "239.2.2.2" }, { device: "o2", group: "239.2.2.3", preserve: true }];
    const [rule, ...slots] = plane.rule({ group: "239.1.1.1", outputs });
    const receivers = [lab.receiver("s1", "239.2.2.2", 6000), lab.receiver("s2", "239.2.2.3", 6000)];
    using sender = new UdpSender(lab.source, "172.16.0.2");
    const trains = [
      [numbered(40, 500), 500],
      [[...numbered(10, 1400), Buffer.alloc(3)], 1400],
      [numbered(1, 100), 100],
    ] as const;
    const sent = trains.flatMap(([payloads]) => payloads);
    for (const [payloads, segment] of trains) sender.send(Buffer.concat(payloads), "239.1.1.1", 5000, segment);
    plane.until(() => receivers.every((receiver) => receiver.receive().length === sent.length), "all of them");
    for (const [index, receiver] of receivers.entries()) {
      assert.deepEqual(receiver.payloads, sent);
      assert.equal(plane.count(slots[index], "packets"), sent.length);
    }
    assert.equal(plane.count(rule, "packets"), sent.length);
    assert.equal(plane.count(rule, "bytes"), Buffer.concat(sent).length);
    assert.ok(plane.rings[0]!.statistics().packets < sent.length, "they came one by one");
    return undefined;
  });

  test(`aggregates of which nothing more is known are counted, and nothing else is taken for them, by a ${mode} ring`, () => {
    using lab = new RelayLab({ offloads: true, mtu: 9000, outputMtu: 9000 });
    // The MTU has grown since the ring was opened: length tells nothing.
    using plane = lab.plane({ mode, mtu: 1500, aggregates: false });
    const [rule, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2", preserve: true }] });
    const receiver = lab.receiver("s1", "239.2.2.2", 6000);
    using sender = new UdpSender(lab.source, "172.16.0.2");
    const singles = [...numbered(100, 1400), ...numbered(50, 8000), ...numbered(50)];
    for (const [index, payload] of singles.entries()) {
      const segment = index % 2 === 0 ? 1400 : 10;
      sender.send(payload, "239.1.1.1", 5000, 0);
      sender.send(Buffer.alloc(3 * segment, 1), "239.1.1.1", 5000, segment);
      plane.until(() => plane.came === 2 * (index + 1), "this one, and what was joined");
    }
    plane.until(() => receiver.receive().length >= singles.length, "those that came alone");
    assert.deepEqual(receiver.payloads, singles);
    assert.deepEqual([plane.count(rule, "packets"), plane.count(output, "packets")], [200, 200]);
    assert.deepEqual(plane.reasons, { truncated: 200 });
  });
}

for (const singly of [false, true]) {
  test(`a run of datagrams leaves ${singly ? "one by one, where nobody could take it apart" : "as one"}`, () => {
    using lab = new RelayLab({ offloads: true });
    using plane = lab.plane();
    const [, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2", singly }] });
    const receiver = lab.receiver("s1", "239.2.2.2", 6000);
    const sent = numbered(50, 1000);
    for (const payload of sent) lab.sender.send(relayFrame({ to: "239.1.1.1", payload }));
    const before = lab.arrived("s1");
    plane.until(() => receiver.receive().length === sent.length, "all of them");
    assert.deepEqual(receiver.payloads, sent);
    assert.equal(plane.count(output, "packets"), 50);
    const arrived = lab.arrived("s1") - before;
    assert.ok(singly ? arrived >= 50 : arrived < 50, `${arrived} frames`);
  });
}

test("what is too large for an output is sent one by one to it, out of aggregates too", (t) => {
  if (!knowsAggregates()) return t.skip(NO_AGGREGATES);
  using lab = new RelayLab({ offloads: true, outputMtu: 1300 });
  using plane = lab.plane();
  const [, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  const receiver = lab.receiver("s1", "239.2.2.2", 6000);
  using sender = new UdpSender(lab.source, "172.16.0.2");
  const sent = numbered(20, 1400);
  sender.send(Buffer.concat(sent), "239.1.1.1", 5000, 1400);
  plane.until(() => receiver.receive().length === 20, "20 of them");
  assert.deepEqual(receiver.payloads, sent);
  assert.equal(plane.count(output, "packets"), 20);
  return undefined;
});

test("a packet keeps its source, its port, its DSCP and its payload where it shall", () => {
  using lab = new RelayLab({ outputs: 3 });
  using plane = lab.plane();
  const output = { group: "239.2.2.2", port: 0, ttl: 9 };
  const slots = plane.rule({
    group: "239.1.1.1",
    port: 0,
    outputs: [
      { ...output, preserve: true },
      { ...output, device: "o2" },
      { ...output, device: "o3", preserve: true, dscp: 8, port: 77 },
    ],
  });
  const captures = ["s1", "s2", "s3"].map((device) => lab.capture(device));
  const sent = [
    { port: 5000, tos: 0xb9, fromPort: 999 },
    { port: 5001, tos: 0xb9, fromPort: 999 },
    { port: 5001, tos: 0, fromPort: 998 },
    { port: 5001, tos: 0, fromPort: 998, options: Buffer.alloc(8, 1) },
  ].map((fields, index) => ({ ...fields, payload: Buffer.alloc(33, index) }));
  for (const fields of sent) lab.sender.send(relayFrame({ to: "239.1.1.1", padding: 5, ...fields }));
  plane.until(() => captures.every((capture) => capture.read().length + capture.others.length >= 4), "all copies");
  const view = (index: number) =>
    captures[index]!.frames.map((seen) => [seen.from, seen.sourcePort, seen.to, seen.port, seen.tos, seen.payload]);
  // A packet with options keeps them: the reader of the test, which knows none, is not shown it.
  const three = sent.slice(0, 3);
  assert.deepEqual(
    view(0).slice(0, 3),
    three.map((was) => ["192.0.2.77", was.fromPort, "239.2.2.2", was.port, was.tos, was.payload]),
  );
  assert.deepEqual(
    view(2).slice(0, 3),
    three.map((was) => ["192.0.2.77", was.fromPort, "239.2.2.2", 77, 0x20 | (was.tos & 3), was.payload]),
  );
  assert.deepEqual(
    view(1).map(([from, , to, port, tos, payload]) => [from, to, port, tos, payload]),
    sent.map((was) => ["10.0.2.1", "239.2.2.2", was.port, was.tos & 0xfc, was.payload]),
  );
  for (const { frames } of captures)
    for (const { mac, ttl, sum, headerSum } of frames.slice(0, 3))
      assert.deepEqual([mac, ttl, sum, headerSum], ["01005e020202", 9, "right", true]);
  for (const slot of slots) assert.equal(plane.count(slot, "bytes"), 4 * 33);
});

test("what cannot be sent on as it is is counted: too large for the output, or for a host nobody knows", () => {
  using lab = new RelayLab({ outputs: 2, outputMtu: 1300 });
  using plane = lab.plane();
  const [, large, lost] = plane.rule({
    group: "239.1.1.1",
    outputs: [
      { group: "239.2.2.2", preserve: true },
      { device: "o2", group: "10.0.2.2", preserve: true },
    ],
  });
  const capture = lab.capture("s1");
  for (const size of [1400, 100, 1273, 1272])
    lab.sender.send(relayFrame({ to: "239.1.1.1", payload: Buffer.alloc(size) }));
  plane.until(() => capture.read().length === 2, "those that are small enough");
  assert.deepEqual(
    capture.frames.map(({ payload }) => payload.length),
    [100, 1272],
  );
  assert.deepEqual([plane.count(large, "packets"), plane.count(large, "tooLarge")], [2, 2]);
  assert.deepEqual([plane.count(lost, "packets"), plane.count(lost, "sendErrors")], [0, 4]);
});

for (const source of ["own", "kept", "another"]) {
  test(`IPv6 is forwarded as IPv4 is, with a source that is ${source}`, () => {
    const preserve = source === "kept";
    const another = source === "another" && { from: "2001:db8:99::1" };
    using lab = new RelayLab({ outputs: 2 });
    using plane = lab.plane({ family: 6 });
    const outputs = [
      { group: "ff0e::2", preserve, ttl: 3, ...another },
      { device: "o2", group: "ff02::2:2", preserve, port: 0, ...another },
    ];
    const [rule, ...slots] = plane.rule({ group: "ff0e::1", port: 0, outputs });
    const captures = [lab.capture("s1"), lab.capture("s2")];
    const sent = numbered(50, 700);
    const options = Buffer.from("1100010400000000", "hex");
    for (const [index, payload] of sent.entries()) {
      const extension = index === 49 && !preserve ? { options, next: 0 } : {};
      lab.sender.send(relayFrame({ to: "ff0e::1", payload, tos: 0x48, ...extension }));
    }
    const seen = (index: 0 | 1) => captures[index]!.read().filter(({ to }) => to === outputs[index]!.group);
    plane.until(() => seen(0).length === 50 && seen(1).length === 50, "50 each");
    for (const index of [0, 1] as const) {
      const [first] = seen(index);
      const own = another ? another.from : `fd00:${index + 1}::1`;
      const from = preserve ? "2001:db8::77" : own;
      assert.deepEqual(
        [first!.from, first!.port, first!.ttl, first!.tos],
        [from, index === 0 ? 6000 : 5000, index === 0 ? 3 : 1, 0x48],
      );
      assert.deepEqual(
        seen(index).map(({ payload }) => payload),
        sent,
      );
      assert.ok(seen(index).every(({ sum }) => sum === "right"));
      assert.equal(plane.count(slots[index], "packets"), 50);
    }
    assert.equal(plane.count(rule, "bytes"), 35_000);
  });
}

for (const mode of MODES) {
  test(`packets come and go by tunnels, which have no hardware addresses, by a ${mode} ring`, () => {
    using lab = new RelayLab();
    const [inner, outer] = [lab.tunnel("tun8"), lab.tunnel("tun9")];
    lab.ip("addr add 10.0.9.1/24 dev tun9");
    const bare = { mode, bare: true, ifindex: lab.link("tun8").ifindex };
    using plane = lab.plane({ ...bare, unicast: [addressBytes("10.8.0.1")] });
    const outputs = [{ group: "239.2.2.2" }, { device: "tun9", group: "10.0.9.2", preserve: true, ttl: 7 }];
    plane.rule({ group: "239.1.1.1", outputs });
    const [host] = plane.rule({ group: "10.8.0.1", outputs: [{ device: "tun9", group: "239.3.3.3" }] });
    const receiver = lab.receiver("s1", "239.2.2.2", 6000);
    const packet = (to: string, payload: Buffer) => relayFrame({ to, payload }).subarray(14);
    const sent = numbered(20, 300);
    for (const payload of sent) writeSync(inner.number, packet("239.1.1.1", payload));
    writeSync(inner.number, packet("10.8.0.1", sent[0]!));
    writeSync(inner.number, packet("10.8.0.2", sent[0]!));
    plane.until(() => receiver.receive().length === 20 && plane.count(host, "packets") === 1, "all of them");
    assert.deepEqual(receiver.payloads, sent);
    assert.deepEqual(plane.reasons, {});
    const seen: SeenUdp[] = [];
    for (let length = 0, room = Buffer.alloc(2000); seen.length < 21;) {
      length = readSync(outer.number, room);
      const udp = readUdp(Buffer.concat([Buffer.alloc(12), Buffer.of(8, 0), room.subarray(0, length)]));
      if (udp) seen.push(udp);
    }
    const kept = seen.filter(({ to }) => to === "10.0.9.2");
    assert.deepEqual(
      kept.map(({ payload }) => payload),
      sent,
    );
    for (const { from, ttl, sum, headerSum } of kept)
      assert.deepEqual([from, ttl, sum, headerSum], ["192.0.2.77", 7, "right", true]);
    assert.deepEqual(
      seen.filter(({ to }) => to === "239.3.3.3").map(({ from, payload }) => [from, payload]),
      [["10.0.9.1", sent[0]]],
    );
  });
}

test("a packet of a tunnel that is larger than its slot gets a link header like any other", () => {
  using lab = new RelayLab({ outputMtu: 9000 });
  const inner = lab.tunnel("tun8");
  using plane = lab.plane({ mode: "latency", bare: true, ifindex: lab.link("tun8").ifindex });
  plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2", preserve: true }] });
  const receiver = lab.receiver("s1", "239.2.2.2", 6000);
  lab.ip("link set tun8 mtu 9000");
  const sent = [300, 5000, 300].map((size, i) => Buffer.alloc(size, i));
  for (const payload of sent) writeSync(inner.number, relayFrame({ to: "239.1.1.1", payload }).subarray(14));
  plane.until(() => receiver.receive().length === sent.length, "all of them");
  assert.deepEqual(receiver.payloads, sent);
});

test("a rule's cap lets through what it says, and counts the rest", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const [rule, output] = plane.rule({
    group: "239.1.1.1",
    cap: { packetsPerSecond: 100 },
    outputs: [{ group: "239.2.2.2" }],
  });
  assert.deepEqual(plane.plane.trace("239.1.1.1:5000", 10), []);
  const [free] = plane.rule({ group: "239.1.1.2", outputs: [{ group: "239.2.2.2" }] });
  for (let second = 1; second <= 3; second += 1) {
    plane.now = 1000 * second;
    for (let i = 0; i < 50; i += 1) for (const to of ["239.1.1.1", "239.1.1.2"]) lab.sender.send(relayFrame({ to }));
    plane.until(() => plane.count(free, "packets") === 50 * second, "this round");
    plane.plane.drain();
  }
  // A burst of a tenth of a second each time.
  assert.equal(plane.count(output, "packets"), 30);
  assert.equal(plane.count(rule, "capped"), 120);
  assert.equal(plane.count(rule, "packets"), 150);
  const traced = plane.plane.trace("239.1.1.1:5000", 50);
  assert.deepEqual(
    traced.map(({ outcome }) => outcome),
    [...Array<string>(10).fill("sent"), ...Array<string>(40).fill("capped")],
  );
  assert.deepEqual([traced[0]!.source, traced[0]!.destination], ["192.0.2.77:40000", "239.1.1.1:5000"]);
  assert.deepEqual(plane.plane.trace("unknown", 50), []);
});

test("a rule that is changed goes on with what was left of its rates, unless they are others", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const [free] = plane.rule({ group: "239.1.1.2", outputs: [{ group: "239.2.2.2" }] });
  const passed = (packetsPerSecond: number): number => {
    const outputs = [{ group: "239.2.2.2" }];
    const [rule, output] = plane.rule({ group: "239.1.1.1", cap: { packetsPerSecond }, outputs });
    const before = plane.count(free, "packets");
    for (let i = 0; i < 50; i += 1) for (const to of ["239.1.1.1", "239.1.1.2"]) lab.sender.send(relayFrame({ to }));
    plane.until(() => plane.count(free, "packets") === before + 50, "this round");
    plane.plane.drain();
    assert.equal(plane.count(rule, "packets"), 50);
    return plane.count(output, "packets");
  };
  assert.deepEqual([passed(100), passed(100), passed(200), passed(200)], [10, 0, 20, 0]);
});

test("a rule that is replaced, or removed, changes nothing for the others", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const capture = lab.capture("s1");
  const [other] = plane.rule({ group: "239.1.1.2", outputs: [{ group: "239.3.3.3" }] });
  plane.rule({ id: "x", group: "239.1.1.1", outputs: [{ group: "239.2.2.1" }] });
  plane.rule({ id: "x", group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  const send = (): void => ["239.1.1.1", "239.1.1.2"].forEach((to) => lab.sender.send(relayFrame({ to })));
  send();
  plane.until(() => capture.read().length === 2, "both");
  plane.plane.removeRule("x");
  plane.plane.removeRule("unknown");
  send();
  plane.until(() => plane.passed("noRule") === 1 && plane.count(other, "packets") === 2, "the one that is left");
  assert.deepEqual(
    capture
      .read()
      .map(({ to }) => to)
      .toSorted(),
    ["239.2.2.2", "239.3.3.3", "239.3.3.3"],
  );
});

test("whoever has something to say to the plane wakes it", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  using wake = new Fd(check("eventfd", eventfd(0, 0)));
  assert.equal(plane.plane.turn(0, wake.number), false);
  writeSync(wake.number, BigUint64Array.of(1n));
  assert.equal(plane.plane.turn(60_000, wake.number), true);
  assert.throws(() => plane.plane.setRule({ ...RULE, outputs: [] }, [{ fd: 0, kind: "udp" }]), RangeError);
});

/** Sends frames of VLANs 5, 6 and 7, and says how many came out for the rules without, for 5 and for 7. */
function sendTagged(lab: RelayLab): void {
  using plane = lab.plane({}, { tagged: true });
  const group = "239.1.1.1";
  const plain = plane.rule({ id: "plain", group, outputs: [{ group: "239.2.2.0" }] });
  const five = plane.rule({ id: "five", group, vlan: 5, outputs: [{ group: "239.2.2.5" }] });
  const seven = plane.rule({ id: "seven", group, vlan: 7, outputs: [{ group: "239.2.2.7" }] });
  for (const vlan of [5, 5, 6, 7, 7, 7, undefined, 0])
    lab.sender.send(relayFrame({ to: group, ...(vlan !== undefined && { vlan }) }));
  plane.until(() => plane.count(plain[0], "packets") === 2, "the untagged one, and the one without a number");
  plane.until(() => plane.count(seven[0], "packets") === 3, "those of VLAN 7");
  plane.plane.drain();
  const counts = [plain, five, seven].map((slots) => plane.count(slots[1], "packets"));
  assert.deepEqual(counts, [2, 2, 3]);
  assert.deepEqual(plane.reasons, { noRule: 1 });
}

test("41: frames with a VLAN tag are for rules with that VLAN only", () => {
  using lab = new RelayLab();
  sendTagged(lab);
});

test("41: so they are where the host has an interface for the VLAN", (t) => {
  using lab = new RelayLab();
  try {
    lab.ip("link add link r0 name r0.7 type vlan id 7", "link set r0.7 up");
  } catch (error) {
    assert.notEqual(kernelConfig("CONFIG_VLAN_8021Q"), true, String(error));
    t.skip("this kernel has no VLAN interfaces: needs CONFIG_VLAN_8021Q");
    return;
  }
  sendTagged(lab);
});
