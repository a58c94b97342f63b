/** What the relay's kernel plane does with packets: frames in at one veth, copies out at others. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { addressBytes } from "../../src/core/prefix.ts";
import type { RateCap } from "../../src/relay/model.ts";
import { checksum } from "../../src/linux/packet/frame.ts";
import { PROTOCOL } from "../helpers/capture.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { RelayKernelLab } from "../helpers/relay-kernel-lab.ts";
import { UdpReceiver, UdpSender } from "../helpers/udp-socket.ts";
import { type UdpFrame, udpFrame } from "../helpers/datagram-frame.ts";

/** One lab for all tests that change nothing of it: each gets it as if nobody had used it before. */
let one: RelayKernelLab | undefined;
function shared(): RelayKernelLab {
  one ??= new RelayKernelLab();
  one.reset();
  return one;
}
after(() => one?.[Symbol.dispose]());

// After the lab's end: what is registered later runs later.
checkFds();

const SOURCE = "10.0.0.2";
const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const IN6 = "ff05::101";
const OUT6 = "ff05::202";

/** Bytes that are other ones for each seed. */
const bytes = (size: number, seed = 0): Buffer =>
  Buffer.alloc(size, createHash("sha256").update(String(seed)).digest());
const frame = (payload: Uint8Array, more: Partial<UdpFrame> = {}): Buffer =>
  udpFrame({ from: SOURCE, to: IN, payload, ...more });
const frames = (count: number, more: Partial<UdpFrame> = {}): Buffer[] =>
  Array.from({ length: count }, (_, i) => frame(bytes(100, i), more));
const hex = (address: Uint8Array | undefined): string => Buffer.from(address ?? []).toString("hex");

describe("a copy", () => {
  test("1: has the output's addresses, port and TTL, the same payload, and right checksums", async () => {
    const lab = shared();
    lab.listen("s1");
    const behind = lab.listenBehind("in0");
    const output = lab.output("o1", OUT, { dscp: 46 });
    await lab.carry(lab.rule(1, IN, [output]));
    const payload = bytes(1234);
    lab.send([frame(payload, { tos: 0x29 })]);
    const [seen] = await lab.received("s1", OUT, 1);
    assert.deepEqual(seen, {
      mac: "01005e020202",
      ownMac: hex(output.ownMac),
      from: "10.0.1.1",
      to: OUT,
      sourcePort: 40_000,
      port: 6000,
      ttl: 7,
      // Congestion is the packet's.
      tos: (46 << 2) | 1,
      payload,
      sum: "right",
      headerSum: true,
    });
    assert.deepEqual(behind.take(), []);
    assert.deepEqual(lab.counted(1), { packets: 1, bytes: 1234 });
    assert.deepEqual(lab.counted(output.slot), { packets: 1, bytes: 1234 });
  });

  test("1: of IPv6 too", async () => {
    const lab = shared();
    lab.listen("s1", "s2");
    const behind = lab.listenBehind("in0", PROTOCOL.IPV6);
    const [first, second] = [lab.output("o1", OUT6), lab.output("o2", "ff05::303", { dscp: 10, port: 0 })];
    const { source: _, ...kept } = second;
    await lab.carry(lab.rule(1, IN6, [first, kept]));
    const payload = bytes(333);
    lab.send([frame(payload, { from: "2001:db8:9::9", to: IN6, tos: 0xa9 })]);
    const [one] = await lab.received("s1", OUT6, 1);
    const [two] = await lab.received("s2", "ff05::303", 1);
    const common = { sourcePort: 40_000, ttl: 7, payload, sum: "right", headerSum: true };
    const macs = { mac: "333300000202", ownMac: hex(first.ownMac) };
    assert.deepEqual(one, { ...common, ...macs, from: "2001:db8:1::1", to: OUT6, port: 6000, tos: 0xa9 });
    const others = { mac: "333300000303", ownMac: hex(second.ownMac) };
    assert.deepEqual(two, { ...common, ...others, from: "2001:db8:9::9", to: "ff05::303", port: 5000, tos: 0x29 });
    const taken = behind.take().filter((each) => each.includes(Buffer.from(addressBytes(IN6))));
    assert.deepEqual(taken, []);
    assert.deepEqual(lab.counted(1), { packets: 1, bytes: 333 });
  });

  test("keeps source, port and DSCP where the output says so, whatever outputs before it changed", async () => {
    const lab = shared();
    lab.listen("s1", "s2", "s3");
    const { source: _, ...kept } = lab.output("o2", "239.3.3.3", { port: 0, ttl: 9 });
    const outputs = [lab.output("o1", OUT, { dscp: 1, ttl: 255 }), kept, lab.output("o3", "239.4.4.4", { port: 77 })];
    await lab.carry(lab.rule(1, IN, outputs));
    lab.send([frame(bytes(50), { tos: 0xb8 })]);
    const seen = [
      ...(await lab.received("s1", OUT, 1)),
      ...(await lab.received("s2", "239.3.3.3", 1)),
      ...(await lab.received("s3", "239.4.4.4", 1)),
    ];
    assert.deepEqual(
      seen.map(({ from, port, ttl, tos, sum, headerSum }) => ({ from, port, ttl, tos, sum, headerSum })),
      [
        { from: "10.0.1.1", port: 6000, ttl: 255, tos: 4, sum: "right", headerSum: true },
        { from: SOURCE, port: 5000, ttl: 9, tos: 0xb8, sum: "right", headerSum: true },
        { from: "10.0.3.1", port: 77, ttl: 7, tos: 0xb8, sum: "right", headerSum: true },
      ],
    );
  });

  test("2: 1,000 packets make 1,000 copies, in their order", async () => {
    const lab = shared();
    lab.listen("s1");
    const output = lab.output("o1", OUT);
    await lab.carry(lab.rule(1, IN, [output]));
    const sent = frames(1000);
    // Not more at once than the kernel's backlog for a veth holds.
    for (let i = 0; i < sent.length; i += 100) lab.send(sent.slice(i, i + 100));
    const seen = await lab.received("s1", OUT, 1000);
    assert.deepEqual(
      seen.map(({ payload }) => payload),
      sent.map((_, i) => bytes(100, i)),
    );
    assert.ok(seen.every(({ sum }) => sum === "right"));
    assert.deepEqual(lab.counted(1), { packets: 1000, bytes: 100_000 });
    assert.deepEqual(lab.counted(output.slot), { packets: 1000, bytes: 100_000 });
  });

  test("5, 6: of the smallest payloads, and of the largest that fits", async () => {
    const lab = shared();
    lab.listen("s1");
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)]));
    const sizes = [0, 1, 2, 17, 18, 22, 1471, 1472];
    // The short ones as a card delivers them, filled up to 60 bytes; and as they are.
    const padded = sizes.map((size) => {
      const short = frame(bytes(size));
      return Buffer.concat([short, Buffer.alloc(Math.max(0, 60 - short.length), 0xee)]);
    });
    lab.send([...padded, ...sizes.map((size) => frame(bytes(size)))]);
    const seen = await lab.received("s1", OUT, 2 * sizes.length);
    assert.deepEqual(
      seen.map(({ payload, sum }) => [payload, sum]),
      [...sizes, ...sizes].map((size) => [bytes(size), "right"]),
    );
    assert.equal(lab.counted(1)["bytes"], 2 * sizes.reduce((sum, size) => sum + size));
  });

  test("7: of 8,972 bytes where the MTU is 9,000", async () => {
    using lab = new RelayKernelLab({ mtu: 9000 });
    lab.listen("s1");
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)]));
    lab.send([frame(bytes(8972))]);
    const [seen] = await lab.received("s1", OUT, 1);
    assert.deepEqual([seen!.payload, seen!.sum], [bytes(8972), "right"]);
  });

  test("has no checksum where the packet had none", async () => {
    const lab = shared();
    lab.listen("s1", "s2");
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT), lab.output("o2", OUT)]));
    lab.send([frame(bytes(10), { checksum: 0 })]);
    for (const device of ["s1", "s2"]) assert.equal((await lab.received(device, OUT, 1))[0]!.sum, "none");
  });

  test("12, 13: goes to each of 3, 16 and 60 outputs", async () => {
    const lab = shared();
    lab.listen("s1", "s2", "s3");
    const outputs = Array.from({ length: 60 }, (_, i) => lab.output(`o${1 + (i % 3)}`, `239.2.2.${i}`));
    for (const count of [3, 16, 60]) {
      await lab.carry(lab.rule(count, IN, outputs.slice(0, count)));
      lab.plane.clear(outputs.map(({ slot }) => slot));
      lab.send(frames(5));
      // By each interface those of one output after the other would lose what comes meanwhile: all are looked at at once.
      const seen = await lab.receivedBy(["s1", "s2", "s3"], count * 5);
      const texts = seen.map(({ device, to, sum }) => `${device} ${to} ${sum}`);
      const wanted = outputs.slice(0, count).flatMap(({ device }, i) => {
        return Array.from({ length: 5 }, () => `s${device.slice(1)} 239.2.2.${i} right`);
      });
      assert.deepEqual(texts.toSorted(), wanted.toSorted());
      for (const { slot } of outputs.slice(0, count)) assert.deepEqual(lab.counted(slot), { packets: 5, bytes: 500 });
      assert.deepEqual(lab.counted(count), { packets: 5, bytes: 500 });
    }
  });

  test("15: multicast to unicast, unicast to multicast, unicast to unicast", async () => {
    const lab = shared();
    lab.listen("s1", "s2");
    const behind = lab.listenBehind("in0");
    const unicast = lab.output("o1", "10.0.1.2", { mac: lab.farMac("s1") });
    const own = "10.0.0.1";
    await lab.carry(
      lab.rule(1, IN, [unicast]),
      lab.rule(2, own, [lab.output("o2", OUT)]),
      lab.rule(3, own, [lab.output("o1", "10.0.1.2", { mac: lab.farMac("s1"), port: 6001 })], { port: 5001 }),
    );
    const mac = Buffer.from(lab.link("in0").address.replaceAll(":", ""), "hex");
    lab.send([frame(bytes(1)), frame(bytes(2), { to: own, mac }), frame(bytes(3), { to: own, mac, port: 5001 })]);
    const seen = await lab.received("s1", "10.0.1.2", 2);
    assert.deepEqual(
      seen.map(({ mac: to, port, payload, sum }) => [to, port, payload.length, sum]),
      [
        [hex(lab.farMac("s1")), 6000, 1, "right"],
        [hex(lab.farMac("s1")), 6001, 3, "right"],
      ],
    );
    await lab.received("s2", OUT, 1);
    // Nor is anybody told that the port is closed: the stack never sees them.
    assert.deepEqual(behind.take(), []);
  });

  test("16: of a source that no route leads to, under a strict reverse path filter", async () => {
    const lab = shared();
    lab.listen("s1");
    lab.sysctl("ipv4/conf/in0/rp_filter", 1);
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)]));
    lab.send(frames(10, { from: "198.51.100.7" }));
    await lab.received("s1", OUT, 10);
  });

  test("24, 25: is not taken for a packet by the opposite rule", async () => {
    const lab = shared();
    lab.listen("src0", "s1");
    const there = lab.rule(1, IN, [lab.output("o1", IN, { port: 5000 })]);
    const { ifindex } = lab.link("o1");
    const back = lab.rule(2, IN, [lab.output("in0", IN, { port: 5000, source: addressBytes("10.0.0.1") })], {
      ifindex,
    });
    await lab.carry(there, back);
    lab.send(frames(10));
    lab.send(frames(7), "s1");
    await lab.received("s1", IN, 10);
    await lab.received("src0", IN, 7);
    assert.deepEqual([lab.counted(1)["packets"], lab.counted(2)["packets"]], [10, 7]);
  });

  test("34: of a copy that the device refuses an error is counted, and the others go on", async () => {
    const lab = shared();
    lab.listen("s2");
    const gone = lab.output("o1", OUT, { ifindex: 9999 });
    const last = lab.output("o2", OUT);
    await lab.carry(lab.rule(1, IN, [gone, last]));
    lab.send(frames(3));
    await lab.received("s2", OUT, 3);
    assert.deepEqual(lab.counted(gone.slot), { sendErrors: 3 });
    assert.deepEqual(lab.counted(last.slot), { packets: 3, bytes: 300 });
  });
});

describe("which packets", () => {
  test("27: the rule of this source before that of any; two sources of one group are told apart", async () => {
    const lab = shared();
    lab.listen("s1", "s2", "s3");
    const from = (text: string) => ({ source: addressBytes(text) });
    await lab.carry(
      lab.rule(1, IN, [lab.output("o1", "239.9.0.1")], from("10.9.9.1")),
      lab.rule(2, IN, [lab.output("o1", "239.9.0.2")], { ...from("10.9.9.1"), port: 0 }),
      lab.rule(3, IN, [lab.output("o2", "239.9.0.3")], from("10.9.9.2")),
      lab.rule(4, IN, [lab.output("o3", "239.9.0.4")]),
      lab.rule(5, IN, [lab.output("o3", "239.9.0.5")], { port: 0 }),
    );
    const to = (source: string, port: number) => frame(bytes(8), { from: source, port });
    lab.send([
      to("10.9.9.1", 5000),
      to("10.9.9.1", 5001),
      to("10.9.9.2", 5000),
      to("10.9.9.2", 5001),
      to("10.9.9.3", 5000),
      to("10.9.9.3", 5001),
    ]);
    const seen = await lab.receivedBy(["s1", "s2", "s3"], 6);
    assert.deepEqual(seen.map((each) => `${each.device} ${each.to}`).toSorted(), [
      "s1 239.9.0.1",
      "s1 239.9.0.2",
      "s2 239.9.0.3",
      "s3 239.9.0.4",
      "s3 239.9.0.5",
      "s3 239.9.0.5",
    ]);
    const taken = [1, 2, 3, 4, 5].map((slot) => lab.counted(slot)["packets"]);
    assert.deepEqual(taken, [1, 1, 1, 1, 2]);
  });

  test("what a rule of the user plane takes is left, though a rule for any source is in the kernel", async () => {
    const lab = shared();
    lab.listen("s1");
    const behind = lab.listenBehind("in0");
    const wide = lab.rule(1, IN, [lab.output("o1", OUT)]);
    const narrow = lab.rule(2, IN, [], { source: addressBytes("10.9.9.1") });
    assert.deepEqual(await lab.apply(wide, narrow), { rule1: true, rule2: "it has no outputs" });
    lab.send([frame(bytes(1), { from: "10.9.9.1" }), frame(bytes(2))]);
    assert.equal((await lab.received("s1", OUT, 1))[0]!.payload.length, 2);
    assert.equal(behind.take().length, 1);
  });

  test("41: those of a VLAN only by a rule for it, and they leave untagged", async () => {
    const lab = shared();
    lab.listen("s1", "s2");
    await lab.carry(
      lab.rule(1, IN, [lab.output("o1", "239.9.0.1"), lab.output("o2", "239.9.0.2")], { vlan: 5 }),
      lab.rule(2, IN, [lab.output("o1", "239.9.0.3")]),
    );
    lab.send([
      frame(bytes(5), { tags: [5] }),
      frame(bytes(5), { tags: [0xe005] }), // with a priority
      frame(bytes(6), { tags: [6] }),
      frame(bytes(7), { tags: [5, 6] }),
      frame(bytes(8), { tags: [0] }), // a priority alone
      frame(bytes(9)),
    ]);
    const seen = await lab.receivedBy(["s1", "s2"], 6);
    const texts = seen.map((each) => `${each.device} ${each.to} ${each.payload.length} ${each.sum}`);
    assert.deepEqual(texts.toSorted(), [
      "s1 239.9.0.1 5 right",
      "s1 239.9.0.1 5 right",
      "s1 239.9.0.3 8 right",
      "s1 239.9.0.3 9 right",
      "s2 239.9.0.2 5 right",
      "s2 239.9.0.2 5 right",
    ]);
    assert.deepEqual([lab.counted(1)["packets"], lab.counted(2)["packets"]], [2, 2]);
  });

  test("8: one that is too large for any output is left whole, and nothing of it is sent", async () => {
    using lab = new RelayKernelLab({ mtu: 9000 });
    lab.listen("s1", "s2");
    const behind = lab.listenBehind("in0");
    const behind6 = lab.listenBehind("in0", PROTOCOL.IPV6);
    const outputs = (group: string) => [lab.output("o1", group), lab.output("o2", group, { mtu: 1500 })];
    await lab.carry(lab.rule(1, IN, outputs(OUT)), lab.rule(2, IN6, outputs(OUT6)));
    const six = { from: "2001:db8:9::9", to: IN6 };
    lab.send([frame(bytes(1473)), frame(bytes(1472)), frame(bytes(1453), six), frame(bytes(1452), six)]);
    for (const device of ["s1", "s2"]) {
      assert.equal((await lab.received(device, OUT, 1))[0]!.payload.length, 1472);
      assert.equal((await lab.received(device, OUT6, 1))[0]!.payload.length, 1452);
    }
    assert.deepEqual(
      [...behind.take(), ...behind6.take()].filter((each) => each.length > 1000).map(({ length }) => length),
      [14 + 28 + 1473, 14 + 48 + 1453],
    );
    assert.deepEqual([lab.counted(1)["packets"], lab.counted(2)["packets"]], [1, 1]);
  });

  test("9, 10, 11: what is not plain UDP is left as it is to those behind", async () => {
    const lab = shared();
    lab.listen("s1");
    const behind = lab.listenBehind("in0", PROTOCOL.ALL);
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)]), lab.rule(2, IN6, [lab.output("o1", OUT6)]));
    const good = frame(bytes(64));
    const good6 = frame(bytes(64), { from: "2001:db8:9::9", to: IN6 });
    const with16 = (of: Buffer, ...words: readonly (readonly [offset: number, value: number])[]): Buffer => {
      const changed = Buffer.from(of);
      for (const [offset, value] of words) changed.writeUInt16BE(value, offset);
      return changed;
    };
    /** With the header's checksum made right again. */
    const v4 = (...words: readonly (readonly [offset: number, value: number])[]): Buffer => {
      const changed = with16(good, ...words, [24, 0]);
      changed.writeUInt16BE(checksum(changed.subarray(14, 34)), 24);
      return changed;
    };
    const other: Readonly<Record<string, Buffer>> = {
      "first fragment": v4([20, 0x2000]),
      "middle fragment": v4([20, 0x2010]),
      "last fragment": v4([20, 0x0010]),
      "with options": v4([14, 0x4600]),
      "header of 60 bytes": v4([14, 0x4f00]),
      "header of 16 bytes": v4([14, 0x4400]),
      "version 5": v4([14, 0x5500]),
      TCP: v4([22, 0x4006]),
      ICMP: v4([22, 0x4001]),
      "wrong header checksum": with16(good, [24, 0x1234]),
      "longer than the frame": v4([16, 200]),
      "shorter than its headers": v4([16, 27]),
      "UDP longer than the packet": with16(good, [38, 73]),
      "UDP shorter than the packet": with16(good, [38, 71]),
      "UDP of 7 bytes": with16(good, [38, 7]),
      "UDP of 0 bytes": with16(good, [38, 0]),
      "another port": with16(good, [36, 5001]),
      "cut in the IP header": good.subarray(0, 30),
      "cut in the UDP header": good.subarray(0, 40),
      "nothing but Ethernet": good.subarray(0, 15),
      ARP: with16(good, [12, 0x0806]),
      "IPv6 of a TCP": with16(good6, [20, 0x0640]),
      "IPv6 with hop-by-hop options": with16(good6, [20, 0x0040]),
      "IPv6 fragment": with16(good6, [20, 0x2c40]),
      "IPv6 longer than the frame": with16(good6, [18, 200]),
      "IPv6 without length": with16(good6, [18, 0]),
      "IPv6 cut in the header": good6.subarray(0, 50),
      "IPv6 cut in the UDP header": good6.subarray(0, 58),
      "version 4 under the type of IPv6": with16(good6, [14, 0x4000]),
    };
    behind.take();
    lab.send([...Object.values(other), good, good6]);
    await lab.received("s1", OUT, 1);
    await lab.received("s1", OUT6, 1);
    assert.deepEqual([lab.counted(1)["packets"], lab.counted(2)["packets"]], [1, 1]);
    // A socket for all protocols sees packets before the program does: they are all there as they were sent.
    const seen = behind.take().map((each) => each.toString("hex"));
    for (const [name, each] of Object.entries(other)) assert.ok(seen.includes(each.toString("hex")), name);
  });

  test("what was sent to another host, seen by an interface that takes in everything, is left", async () => {
    const lab = shared();
    lab.listen("s1");
    await lab.carry(lab.rule(1, "10.0.0.1", [lab.output("o1", OUT)]));
    const mac = Buffer.from(lab.link("in0").address.replaceAll(":", ""), "hex");
    lab.send([frame(bytes(1), { to: "10.0.0.1" }), frame(bytes(2), { to: "10.0.0.1", mac })]);
    const [seen] = await lab.received("s1", OUT, 1);
    assert.equal(seen!.payload.length, 2);
  });
});

describe("a cap", () => {
  /** Sends for a while. @returns how many passed, the seconds it took, and those of the longest pause */
  async function offer(lab: RelayKernelLab, slot: number, send: () => void, ms: number) {
    const { packets: before = 0, capped: held = 0 } = lab.counted(slot);
    const begin = performance.now();
    let [last, pause] = [begin, 0];
    while (last - begin < ms) {
      send();
      await setTimeout(1);
      const now = performance.now();
      pause = Math.max(pause, (now - last) / 1000);
      last = now;
    }
    const { packets = 0, capped = 0 } = lab.counted(slot);
    return { passed: packets - before - (capped - held), seconds: (last - begin) / 1000, pause };
  }

  test("lets through its packets a second and a tenth of that at first, counts the rest, and nobody else has them", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const behind = lab.listenBehind("in0");
    const output = lab.output("o1", OUT);
    const rule = lab.rule(1, IN, [output], { cap: { packetsPerSecond: 50 } });
    const free = lab.rule(2, "239.1.1.2", [lab.output("o2", OUT)]);
    await lab.carry(rule, free);
    const both = [...frames(30), ...frames(30, { to: "239.1.1.2" })];
    const { passed, seconds, pause } = await offer(lab, 1, () => lab.send(both), 600);
    assert.ok(lab.counted(1)["capped"]! > 0);
    // A bucket that nobody takes from for a tenth of a second is full, and what would have come since is lost.
    const least = pause < 0.05 ? 25 * seconds : 5;
    assert.ok(passed <= 5 + 50 * seconds + 1 && passed >= least, `${passed} in ${seconds} s, pause ${pause} s`);
    assert.equal(lab.counted(output.slot)["packets"], passed);
    const { packets, capped } = lab.counted(2);
    assert.deepEqual([packets, capped], [lab.counted(1)["packets"], undefined]);
    assert.deepEqual(behind.take(), []);

    // Whoever comes back later finds its bucket full, and no fuller.
    await setTimeout(150);
    lab.reset();
    lab.send(frames(200));
    const { capped: held = 0 } = lab.counted(1);
    assert.ok(held <= 195 && held > 0, `${held} of 200 held back`);
  });

  test("lets through its bits a second, trains too", async () => {
    using lab = new RelayKernelLab();
    using sender = new UdpSender(lab.host, SOURCE);
    // 80,000 bytes a second, and 64 KiB at first; a train beyond that is its debt.
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)], { cap: { bitsPerSecond: 640_000 } }));
    const train = Buffer.alloc(10_000);
    const { passed, seconds } = await offer(
      lab,
      1,
      () => {
        for (let i = 0; i < 3; i += 1) sender.send(train, IN, 5000, 1000);
      },
      600,
    );
    assert.ok(lab.counted(1)["capped"]! > 0);
    assert.ok(passed <= 66 + 80 * seconds + 10 && passed >= 40 * seconds, `${passed} in ${seconds} s`);
  });

  test("that is changed, or another rule's, does not inherit a debt", async () => {
    using lab = new RelayKernelLab();
    const rule = (cap: RateCap) => lab.rule(1, IN, [lab.output("o1", OUT)], { cap });
    await lab.carry(rule({ bitsPerSecond: 1 }));
    // The bucket of so low a rate holds 64 KiB, which take six days to come back.
    lab.send(Array.from({ length: 100 }, () => frame(bytes(1000))));
    assert.ok(lab.counted(1)["capped"]! > 0);
    await lab.carry(rule({ bitsPerSecond: 1e9 }));
    lab.reset();
    lab.send(frames(50));
    assert.deepEqual(lab.counted(1), { packets: 50, bytes: 5000 });
  });
});

describe("checksums and trains", () => {
  for (const tx of ["on", "off"]) {
    test(`a socket gets the copies of what a socket sends, with checksum offload ${tx}`, async () => {
      using lab = new RelayKernelLab({ outputs: 2 });
      lab.ethtool(lab.host, "src0", "tx", tx);
      // What leaves the router has its checksum in it, whoever was to finish it.
      for (const device of ["o1", "o2"]) lab.ethtool(lab.router, device, "tx", "off");
      lab.listen("s1", "s2");
      using sender = new UdpSender(lab.host, SOURCE);
      using first = new UdpReceiver(lab.host, { group: OUT, own: "10.0.1.2", port: 6000 });
      using second = new UdpReceiver(lab.host, { group: "239.3.3.3", own: "10.0.2.2", port: 6000 });
      await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT), lab.output("o2", "239.3.3.3")]));
      const payloads = Array.from({ length: 20 }, (_, i) => bytes(10 + i, i));
      for (const payload of payloads) sender.send(payload, IN, 5000);
      for (const receiver of [first, second]) assert.deepEqual(await receiver.received(20), payloads);
      for (const [device, group] of [
        ["s1", OUT],
        ["s2", "239.3.3.3"],
      ] as const) {
        const seen = await lab.received(device, group, 20);
        assert.ok(
          seen.every(({ sum, headerSum }) => sum === "right" && headerSum),
          device,
        );
      }
    });
  }

  test("36: a train of packets counts as what it will be cut into, and each of them is right", async () => {
    using lab = new RelayKernelLab();
    // A train crosses a veth whole; the router's outputs cut it.
    for (const device of ["o1", "o2"]) lab.ethtool(lab.router, device, "gso", "off", "tx", "off");
    lab.listen("s1", "s2");
    using sender = new UdpSender(lab.host, SOURCE);
    const outputs = [lab.output("o1", OUT), lab.output("o2", "239.3.3.3")];
    await lab.carry(lab.rule(1, IN, outputs));
    const payload = Buffer.concat(Array.from({ length: 10 }, (_, i) => bytes(1000, i)));
    sender.send(payload.subarray(0, 9500), IN, 5000, 1000);
    for (const [device, group] of [
      ["s1", OUT],
      ["s2", "239.3.3.3"],
    ] as const) {
      const seen = await lab.received(device, group, 10);
      assert.deepEqual(Buffer.concat(seen.map((each) => each.payload)), payload.subarray(0, 9500));
      assert.ok(seen.every(({ sum, headerSum, port }) => sum === "right" && headerSum && port === 6000));
    }
    for (const slot of [1, ...outputs.map((output) => output.slot)])
      assert.deepEqual(lab.counted(slot), { packets: 10, bytes: 9500 });
  });

  test("a train whose packets are too large for an output is left whole", async () => {
    const lab = shared();
    lab.listen("s1");
    const behind = lab.listenBehind("in0");
    using sender = new UdpSender(lab.host, SOURCE);
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT, { mtu: 1027 })]));
    sender.send(Buffer.alloc(5000), IN, 5000, 1000);
    sender.send(Buffer.alloc(5000), IN, 5000, 999);
    await eventually(() => assert.equal(lab.counted(1)["packets"], 6));
    const left = behind.take().map(({ length }) => length);
    assert.deepEqual(left, [14 + 28 + 5000]);
  });
});
