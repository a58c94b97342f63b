/** The user plane on the kernel: what comes in at one interface, and what goes out at others. Numbers are those of the cases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../../src/core/prefix.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { macBytes, numbered, RelayLab } from "../helpers/relay-lab.ts";

checkFds();

const MODES = ["throughput", "latency"] as const;
for (const mode of MODES) {
  test(`1: a packet becomes one of the relay's own, by a ${mode} ring`, () => {
    using lab = new RelayLab();
    using plane = lab.plane({ mode });
    const [rule, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2", dscp: 10 }] });
    const capture = lab.capture("s1");
    const payload = Buffer.from("what is sent arrives");
    lab.sender.send(relayFrame({ to: "239.1.1.1", payload, tos: 0xb8 }));
    plane.until(() => capture.read().length === 1, "one packet");
    const [{ fromPort: _port, ownMac: _mac, ...seen }] = [{ fromPort: 0, ...capture.frames[0]! }];
    assert.deepEqual(
      { ...seen, sourcePort: 0 },
      {
        mac: "01005e020202",
        from: "10.0.1.1",
        to: "239.2.2.2",
        sourcePort: 0,
        port: 6000,
        ttl: 1,
        tos: 40,
        payload,
        sum: "right",
        headerSum: true,
      },
    );
    assert.equal(plane.count(rule, "packets"), 1);
    assert.equal(plane.count(rule, "bytes"), payload.length);
    assert.equal(plane.count(output, "packets"), 1);
    assert.equal(plane.count(output, "bytes"), payload.length);
  });
}

test("5, 6: payloads of 0, 1, 18, 22 and 1472 bytes arrive, and a run of them keeps its borders", () => {
  using lab = new RelayLab();
  for (const mode of MODES) {
    using plane = lab.plane({ mode });
    const [rule] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
    const receiver = lab.receiver("s1", "239.2.2.2", 6000);
    const sizes = [0, 1, 18, 22, 22, 22, 0, 0, 22, 1472, 1472, 3, 3, 3, 2, 0, 1472];
    for (const size of sizes) lab.sender.send(relayFrame({ to: "239.1.1.1", payload: Buffer.alloc(size, size) }));
    plane.until(() => receiver.receive().length === sizes.length, `${sizes.length} packets`);
    assert.deepEqual(
      receiver.payloads.map(({ length }) => length),
      sizes,
    );
    assert.equal(
      plane.count(rule, "bytes"),
      sizes.reduce((sum, size) => sum + size, 0),
    );
    receiver[Symbol.dispose]();
  }
});

for (const mode of MODES) {
  test(`7: jumbo frames pass, by a ${mode} ring made for them or not`, () => {
    using lab = new RelayLab({ mtu: 9000, outputMtu: 9000 });
    for (const mtu of [1500, 9000]) {
      using plane = lab.plane({ mode, mtu });
      plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
      const receiver = lab.receiver("s1", "239.2.2.2", 6000);
      const sent = [...numbered(40, 8972), Buffer.alloc(1), Buffer.alloc(8972, 7)];
      for (const payload of sent) lab.sender.send(relayFrame({ to: "239.1.1.1", payload }));
      plane.until(() => receiver.receive().length === sent.length, "jumbo frames");
      assert.deepEqual(receiver.payloads, sent);
      assert.deepEqual(plane.reasons, {});
      receiver[Symbol.dispose]();
    }
  });
}

test("8: what is too large for an output is fragmented by the kernel, and nothing else waits for it", () => {
  using lab = new RelayLab({ mtu: 9000, outputs: 2 });
  lab.ip("link set o2 mtu 9000");
  using plane = lab.plane();
  const [, small, large] = plane.rule({
    group: "239.1.1.1",
    outputs: [{ group: "239.2.2.2" }, { group: "239.2.2.2", device: "o2" }],
  });
  const receiver = lab.receiver("s1", "239.2.2.2", 6000);
  const sent = [...numbered(20, 4000), ...numbered(20, 100)];
  for (const payload of sent) lab.sender.send(relayFrame({ to: "239.1.1.1", payload }));
  plane.until(() => receiver.receive().length === sent.length, "fragments joined again");
  assert.deepEqual(receiver.payloads, sent);
  assert.equal(plane.count(small, "packets"), 40);
  assert.equal(plane.count(large, "packets"), 40);
  assert.equal(plane.count(small, "sendErrors") + plane.count(small, "tooLarge"), 0);
});

test("8: an MTU that got smaller behind the plane's back costs nothing but speed", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const [, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  lab.ip("link set o1 mtu 600");
  const receiver = lab.receiver("s1", "239.2.2.2", 6000);
  const sent = numbered(100, 1000);
  plane.pour(sent.map((payload) => relayFrame({ to: "239.1.1.1", payload })));
  plane.until(() => receiver.receive().length === 100, "fragments joined again");
  assert.deepEqual(receiver.payloads, sent);
  assert.equal(plane.count(output, "packets"), 100);
});

test("9, 10, 11: what is no whole UDP datagram is passed over, and counted by its reason", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const [rule] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  const to = "239.1.1.1";
  const frames: readonly (readonly [string, Buffer])[] = [
    ["fragment", relayFrame({ to, fragment: 0x2000 })],
    ["fragment", relayFrame({ to, fragment: 0x2010 })],
    ["fragment", relayFrame({ to, fragment: 0x0010 })],
    ["notUdp", relayFrame({ to, protocol: 6 })],
    ["notUdp", relayFrame({ to, protocol: 1 })],
    ["badHeader", relayFrame({ to }).fill(0x65, 14, 15)],
    ["badHeader", relayFrame({ to }).fill(0x44, 14, 15)],
    ["badChecksum", relayFrame({ to, checksumOff: 1 })],
    ["badLength", relayFrame({ to, udpLength: 7 })],
    ["badLength", relayFrame({ to, udpLength: 100 })],
    ["badLength", relayFrame({ to, ipLength: 24 })],
    ["badLength", relayFrame({ to, ipLength: 19 })],
    ["truncated", relayFrame({ to }).subarray(0, 30)],
    ["truncated", relayFrame({ to }).subarray(0, 40)],
    ["truncated", relayFrame({ to, udpLength: 100, ipLength: 120 })],
    // The kernel hands these to no ring for IP: ARP, IPv6, and less than an Ethernet header's type.
    ["", Buffer.concat([relayFrame({ to }).subarray(0, 12), Buffer.from("0806", "hex"), Buffer.alloc(46)])],
    ["", relayFrame({ to: "ff0e::1" })],
  ];
  const wanted: Record<string, number> = {};
  for (const [reason, frame] of frames) {
    lab.sender.send(frame);
    if (reason !== "") wanted[reason] = (wanted[reason] ?? 0) + 1;
  }
  // The last one is good, with options of IP: when it is there, all others have been.
  lab.sender.send(relayFrame({ to, options: Buffer.alloc(40, 1) }));
  plane.until(() => plane.count(rule, "packets") === 1, "the good one");
  assert.deepEqual(plane.reasons, wanted);
});

test("14, 17: streams are told apart, and what is for no rule goes nowhere", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const groups = ["239.1.1.1", "239.1.1.2", "239.1.1.3"];
  const rules = groups.map((group) => plane.rule({ group, outputs: [{ group: group.replace("239.1", "239.2") }] }));
  const capture = lab.capture("s1");
  const frames = numbered(30, 40).flatMap((payload) => [
    ...groups.flatMap((to, index) => [
      ...Array.from({ length: index + 1 }, () => relayFrame({ to, payload })),
      relayFrame({ to, payload, port: 5001 }),
    ]),
    relayFrame({ to: "239.9.9.9", payload }),
  ]);
  plane.pour(frames);
  plane.until(() => plane.passed("noRule") === 120 && capture.read().length === 180, "all of them");
  for (const [index, slots] of rules.entries()) {
    assert.equal(plane.count(slots[0], "packets"), 30 * (index + 1));
    assert.equal(plane.count(slots[1], "packets"), 30 * (index + 1));
    assert.equal(capture.frames.filter(({ to }) => to === `239.2.1.${index + 1}`).length, 30 * (index + 1));
  }
});

test("15: groups become hosts, hosts groups, and hosts other hosts", () => {
  using lab = new RelayLab();
  using plane = lab.plane({ unicast: [addressBytes("10.0.0.1")] });
  const mac = macBytes(lab.link("r0").address);
  plane.rule({ group: "239.1.1.1", outputs: [{ group: "10.0.1.2", port: 7001 }] });
  plane.rule({ group: "10.0.0.1", port: 5001, outputs: [{ group: "239.2.2.2", port: 7002 }] });
  plane.rule({ group: "10.0.0.1", port: 5002, outputs: [{ group: "10.0.1.2", port: 7003 }] });
  const receivers = [
    lab.receiver("s1", "10.0.1.2", 7001),
    lab.receiver("s1", "239.2.2.2", 7002),
    lab.receiver("s1", "10.0.1.2", 7003),
  ];
  const sent = numbered(20, 50);
  for (const payload of sent) {
    lab.sender.send(relayFrame({ to: "239.1.1.1", payload }));
    lab.sender.send(relayFrame({ to: "10.0.0.1", mac, port: 5001, payload }));
    lab.sender.send(relayFrame({ to: "10.0.0.1", mac, port: 5002, payload }));
  }
  plane.until(() => receivers.every((receiver) => receiver.receive().length === 20), "all three");
  for (const receiver of receivers) assert.deepEqual(receiver.payloads, sent);
});

test("15: a host that refuses does not make every other packet be lost", async () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const [, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "10.0.1.2", port: 7001 }] });
  for (let round = 1; round <= 5; round += 1) {
    lab.sender.send(relayFrame({ to: "239.1.1.1" }));
    plane.until(() => plane.count(output, "packets") === round, "the next one");
    await eventually(() => assert.ok(lab.arrived("s1") >= round));
  }
  assert.equal(plane.count(output, "sendErrors"), 0);
});

test("24, 25: rules that oppose each other do not feed each other", () => {
  using lab = new RelayLab();
  using there = lab.plane();
  using back = lab.plane({ ifindex: lab.link("o1").ifindex });
  const [, out] = there.rule({ group: "239.1.1.1", outputs: [{ group: "239.1.1.1", port: 5000 }] });
  const [returned] = back.rule({ group: "239.1.1.1", outputs: [{ device: "o1", group: "239.1.1.1", port: 5000 }] });
  const capture = lab.capture("s1");
  for (const payload of numbered(50)) lab.sender.send(relayFrame({ to: "239.1.1.1", payload }));
  there.until(() => capture.read().length === 50, "50 copies");
  back.plane.drain();
  assert.equal(there.count(out, "packets"), 50);
  assert.equal(back.count(returned, "packets"), 0);
  assert.equal(capture.read().length, 50);
});

test("27: of one group, each source has its own rule, and the others have theirs", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  const group = "239.1.1.1";
  const rules = [
    plane.rule({ id: "one", group, source: "192.0.2.1", outputs: [{ group: "239.2.2.1" }] }),
    plane.rule({ id: "two", group, source: "192.0.2.2", outputs: [{ group: "239.2.2.2" }] }),
  ];
  for (const from of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) lab.sender.send(relayFrame({ to: group, from }));
  plane.until(() => plane.passed("noRule") === 1, "the one without a rule");
  const any = plane.rule({ id: "any", group, port: 0, outputs: [{ group: "239.2.2.3" }] });
  for (const from of ["192.0.2.1", "192.0.2.3", "192.0.2.4"]) lab.sender.send(relayFrame({ to: group, from }));
  plane.until(() => plane.count(any[0], "packets") === 2, "those of other sources");
  assert.deepEqual(
    rules.map(([slot]) => plane.count(slot, "packets")),
    [2, 1],
  );
  assert.equal(plane.passed("noRule"), 1);
});

test("28: two rings that share their frames take each once", () => {
  using lab = new RelayLab();
  const fanout = { id: 4711 };
  using plane = lab.plane({ fanout }, { fanout });
  const [rule, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  plane.pour(numbered(400).map((payload, index) => relayFrame({ to: "239.1.1.1", fromPort: 1024 + index, payload })));
  plane.until(() => plane.count(rule, "packets") === 400, "400 packets");
  plane.plane.drain();
  assert.equal(plane.count(output, "packets"), 400);
  const shares = plane.rings.map((ring) => ring.statistics().packets);
  assert.ok(Math.min(...shares) > 0, shares.join());
  assert.equal(
    shares.reduce((sum, share) => sum + share, 0),
    400,
  );
});

test("33: an interface that goes down is waited for, one that is deleted is dead, and neither keeps the plane busy", () => {
  using lab = new RelayLab();
  for (const mode of MODES) {
    using plane = lab.plane({ mode });
    const [rule] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
    lab.ip("link set r0 down", "link set r0 up");
    plane.plane.turn(0, -1);
    assert.equal(plane.plane.dead.size, 0);
    lab.sender.send(relayFrame({ to: "239.1.1.1" }));
    plane.until(() => plane.count(rule, "packets") === 1, "a packet after it came up");
  }
  using plane = lab.plane();
  lab.ip("link del r0");
  plane.until(() => plane.plane.dead.size > 0, "the ring's death");
  assert.deepEqual([...plane.plane.dead], plane.rings);
  // A turn that returned at once would use the processor all the time: 20 of them wait for 10 ms each.
  const begin = performance.now();
  for (let i = 0; i < 20; i += 1) plane.plane.turn(10, -1);
  const took = performance.now() - begin;
  assert.ok(took > 150, `20 turns took ${took} ms`);
  assert.deepEqual([...plane.plane.dead], plane.rings);
});

test("34: an output that fails counts its errors, and the others go on", () => {
  using lab = new RelayLab({ outputs: 3 });
  using plane = lab.plane();
  const outputs = [1, 2, 3].map((n) => ({ device: `o${n}`, group: "239.2.2.2" }));
  const [rule, gone, down, fine] = plane.rule({ group: "239.1.1.1", outputs });
  const receiver = lab.receiver("s3", "239.2.2.2", 6000);
  lab.ip("link del o1", "link set o2 down");
  const sent = numbered(200, 300);
  plane.pour(sent.map((payload) => relayFrame({ to: "239.1.1.1", payload })));
  plane.until(() => receiver.receive().length === 200, "those by o3");
  assert.deepEqual(receiver.payloads, sent);
  assert.equal(plane.count(rule, "packets"), 200);
  assert.equal(plane.count(fine, "packets"), 200);
  for (const slot of [gone, down]) {
    assert.equal(plane.count(slot, "packets"), 0);
    assert.equal(plane.count(slot, "sendErrors"), 200);
  }
});
