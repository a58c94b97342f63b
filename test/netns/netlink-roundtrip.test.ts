/** Qdiscs and classes made through our socket on the real kernel, dumped, decoded and compared. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, beforeEach, describe, test } from "node:test";
import { type ClassAt, sameClass } from "../../src/core/tc/class.ts";
import { handle, TC_CLSACT, TC_ROOT } from "../../src/core/tc/handle.ts";
import { type Qdisc, type QdiscAt, sameQdisc } from "../../src/core/tc/qdisc.ts";
import { formatQdisc } from "../../src/core/tc/text.ts";
import { bitsPerSecond, bytes, megabits, microseconds } from "../../src/core/units.ts";
import { qdiscFeature } from "../../src/linux/features.ts";
import { dumpClasses, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import { encodeClass } from "../../src/linux/netlink/tc/class.ts";
import { encodeQdisc } from "../../src/linux/netlink/tc/qdisc.ts";
import { requireFeature } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { batch, classAt, HTB, VethPair } from "../helpers/veth.ts";

checkFds();

describe("what is made is what is seen", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());
  beforeEach(() => veth.clear());

  const qdiscs: readonly Qdisc[] = [
    { kind: "mq" },
    { kind: "htb", default: 0x2a, r2q: 77 },
    { kind: "pfifo", limit: 321 },
    { kind: "bfifo", limit: 123_456 },
    { kind: "tbf", rate: megabits(9.99), burst: bytes(12_345), limit: bytes(54_321) },
    { kind: "tbf", rate: megabits(40_000), burst: bytes(10_000_001), limit: bytes(1 << 20) },
    {
      kind: "tbf",
      rate: megabits(33.3),
      burst: bytes(99_999),
      limit: bytes(1 << 20),
      peakrate: megabits(77.7),
      mtu: bytes(3456),
    },
    {
      kind: "tbf",
      rate: megabits(12.3),
      burst: bytes(12_345),
      limit: bytes(54_321),
      peakrate: megabits(45.6),
      mtu: bytes(3456),
      framing: { overhead: 18, mpu: 64, linklayer: "ethernet" },
    },
    // A bucket of whole cells, 214 of them: that is all that the kernel tells.
    {
      kind: "tbf",
      rate: megabits(8),
      burst: bytes(214 * 48 - 14),
      limit: bytes(54_321),
      framing: { overhead: 14, mpu: 0, linklayer: "atm" },
    },
    { kind: "fq_codel" },
    { kind: "fq_codel", limit: 1234, flows: 99, target: microseconds(7777), interval: microseconds(123_456) },
    { kind: "cake" },
    {
      kind: "cake",
      bandwidth: megabits(77),
      diffserv: "diffserv8",
      nat: true,
      overhead: -10,
      mpu: bytes(84),
      atm: "ptm",
    },
  ];

  for (const qdisc of qdiscs) {
    test(`${formatQdisc(qdisc)} comes back as it was made`, (t) => {
      if (!requireFeature(t, qdiscFeature(qdisc.kind))) return;
      veth.make({ handle: handle(0x77), parent: TC_ROOT, qdisc });
      const record = veth.seen(handle(0x77));
      assert.ok(record);
      assert.equal(record.at.parent, TC_ROOT);
      assert.ok(sameQdisc(qdisc, record.at.qdisc), JSON.stringify(record.at.qdisc));
      // What was seen can be made again, as taking back a removal does.
      veth.socket.request(batch((w) => encodeQdisc(w, "del", veth.dev, record.at)));
      veth.make(record.at as QdiscAt);
      assert.ok(sameQdisc(record.at.qdisc as Qdisc, veth.seen(handle(0x77))!.at.qdisc));
    });
  }

  test("clsact comes back and goes", () => {
    const at: QdiscAt = { handle: handle(0xffff), parent: TC_CLSACT, qdisc: { kind: "clsact" } };
    veth.make(at);
    assert.deepEqual(veth.seen(handle(0xffff))!.at, at);
    veth.socket.request(batch((w) => encodeQdisc(w, "del", veth.dev, at)));
    assert.equal(veth.seen(handle(0xffff)), undefined);
  });

  const changes: readonly (readonly [from: Qdisc, to: Qdisc, seen: Qdisc])[] = [
    [
      { kind: "bfifo", limit: 1000 },
      { kind: "bfifo", limit: 2000 },
      { kind: "bfifo", limit: 2000 },
    ],
    [
      { kind: "fq_codel", limit: 99, flows: 77, ecn: false, memoryLimit: bytes(1 << 20), dropBatch: 3 },
      { kind: "fq_codel", interval: microseconds(50_000) },
      // How many flows there are is settled when it is made.
      { kind: "fq_codel", interval: microseconds(50_000), flows: 77 },
    ],
    [
      {
        kind: "cake",
        bandwidth: megabits(10),
        diffserv: "besteffort",
        flow: "hosts",
        rtt: microseconds(20_000),
        ackFilter: "ack-filter-aggressive",
        nat: true,
        wash: true,
        splitGso: false,
        ingress: true,
        autorateIngress: true,
        atm: "atm",
        overhead: 18,
        mpu: bytes(64),
        memlimit: bytes(1 << 20),
        fwmark: 0xff,
      },
      { kind: "cake", nat: true },
      { kind: "cake", nat: true },
    ],
  ];

  for (const [from, to, wanted] of changes) {
    test(`changes of ${from.kind} state every option, so that none lingers`, (t) => {
      if (!requireFeature(t, qdiscFeature(from.kind))) return;
      const at = { handle: handle(0x77), parent: TC_ROOT };
      veth.make({ ...at, qdisc: from });
      assert.ok(sameQdisc(from, veth.seen(at.handle)!.at.qdisc), JSON.stringify(veth.seen(at.handle)));
      veth.socket.request(batch((w) => encodeQdisc(w, "change", veth.dev, { ...at, qdisc: to })));
      assert.ok(sameQdisc(wanted, veth.seen(at.handle)!.at.qdisc), JSON.stringify(veth.seen(at.handle)));
    });
  }

  test("CAKE's statistics are those that tc shows", (t) => {
    if (!requireFeature(t, qdiscFeature("cake"))) return;
    veth.make({ handle: handle(0x77), parent: TC_ROOT, qdisc: { kind: "cake", bandwidth: megabits(100) } });
    veth.sendPackets();
    const shown = veth.ns.run(() => spawnSync("tc", ["-s", "-j", "qdisc", "show", "dev", "rt0"], { encoding: "utf8" }));
    const [theirs] = JSON.parse(shown.stdout) as [Record<string, number> & { tins: Record<string, number>[] }];
    const [ours] = dumpQdiscs(veth.socket, veth.dev, { cakeStats: true });
    assert.ok(ours?.cake && ours.stats.packets >= 20);
    assert.deepEqual([ours.stats.packets, ours.stats.bytes], [theirs.packets, theirs["bytes"]]);
    const { memoryUsed, memoryLimit, maxNetworkLength } = ours.cake;
    assert.deepEqual(
      [memoryUsed, memoryLimit, maxNetworkLength],
      [theirs["memory_used"], theirs["memory_limit"], theirs["max_network_size"]],
    );
    assert.deepEqual(
      ours.cake.tins.map((tin) => [tin.sentPackets, tin.sentBytes, tin.thresholdRate, tin.target, tin.interval]),
      theirs.tins.map((tin) => [
        tin["sent_packets"],
        tin["sent_bytes"],
        tin["threshold_rate"],
        tin["target_us"],
        tin["interval_us"],
      ]),
    );
    assert.equal(veth.seen(handle(0x77))!.cake, undefined, "only when asked for");
  });

  test("classes come back as they were made, from 64 kbit/s to above 2^32 bytes/s, and as they were changed", () => {
    veth.make(HTB);
    const plain = classAt(0x12, handle(1, 1), 5e6);
    const framed = { ...plain, htb: { ...plain.htb, framing: { overhead: 18, mpu: 64, linklayer: "atm" } as const } };
    const wanted = [
      classAt(1, handle(1), 4e10, 4e11),
      classAt(0x10, handle(1, 1), 64_000),
      classAt(0x11, handle(1, 1), 123_456_789, 8 * 2 ** 32),
      classAt(0xffff, handle(1, 1), 8 * 2 ** 32 - 8),
      framed,
    ];
    veth.socket.request(batch((w) => wanted.forEach((at) => encodeClass(w, "add", veth.dev, at))));
    const compare = (list: readonly ClassAt[]): void => {
      const found = new Map(
        dumpClasses(veth.socket, veth.dev, handle(1)).map((record) => [record.at.classid, record.at]),
      );
      assert.equal(found.size, list.length);
      for (const at of list) {
        const have = found.get(at.classid);
        assert.ok(have && sameClass(at.htb, have.htb), JSON.stringify([at, have]));
        assert.equal(have.parent, at.parent);
      }
    };
    compare(wanted);
    // The kernel leaves prio and quantum of a class with children as they are; a leaf takes every change.
    const changed = wanted.map((at, i) => ({
      ...at,
      htb: { ...at.htb, rate: bitsPerSecond(at.htb.rate - 8), ...(i > 0 && { prio: 1, quantum: bytes(3000) }) },
    }));
    veth.socket.request(batch((w) => changed.forEach((at) => encodeClass(w, "change", veth.dev, at))));
    compare(changed);
    veth.socket.request(batch((w) => encodeClass(w, "del", veth.dev, wanted[3]!)));
    compare(changed.toSpliced(3, 1));
  });

  test("packets appear in the statistics of the class and of its leaf", () => {
    veth.make(HTB);
    const root = classAt(1, handle(1), 1e9);
    const leaf = classAt(0x10, handle(1, 1), 1e8);
    const queue: QdiscAt = { handle: handle(0x10), parent: handle(1, 0x10), qdisc: { kind: "bfifo", limit: 100_000 } };
    veth.socket.request(
      batch((w) => {
        encodeClass(w, "add", veth.dev, root);
        encodeClass(w, "add", veth.dev, leaf);
        encodeQdisc(w, "add", veth.dev, queue);
      }),
    );
    const earlier = dumpClasses(veth.socket, veth.dev, handle(1)).find(({ at }) => at.classid === leaf.classid)!;
    veth.sendPackets();
    const [inner, outer] = [leaf, root].map((wanted) =>
      dumpClasses(veth.socket, veth.dev, handle(1)).find(({ at }) => at.classid === wanted.classid),
    );
    // 958 bytes and headers of UDP, IPv4 and Ethernet are 1,000.
    assert.equal(inner!.stats.bytes - earlier.stats.bytes, 20_000);
    assert.equal(inner!.stats.packets - earlier.stats.packets, 20);
    assert.equal(inner!.leaf, handle(0x10));
    assert.ok(inner!.htb.lends >= 20);
    assert.equal(outer!.stats.bytes, inner!.stats.bytes);
    assert.equal(outer!.leaf, 0);
    assert.equal(veth.seen(handle(0x10))!.stats.packets, inner!.stats.packets);
    assert.equal(veth.seen(handle(0x10))!.stats.bytes, inner!.stats.bytes);
  });

  test("the kernel ignores changes of prio and quantum on a class with children, as sameClass() allows for", () => {
    veth.make(HTB);
    const inner = classAt(1, handle(1), 1e9);
    veth.socket.request(
      batch((w) => {
        encodeClass(w, "add", veth.dev, inner);
        encodeClass(w, "add", veth.dev, classAt(2, handle(1, 1), 1e6));
        encodeClass(w, "change", veth.dev, { ...inner, htb: { ...inner.htb, prio: 1, quantum: bytes(9000) } });
      }),
    );
    const wish = { ...inner.htb, prio: 1, quantum: bytes(9000) };
    const found = dumpClasses(veth.socket, veth.dev, handle(1)).find(({ at }) => at.classid === inner.classid);
    assert.ok(sameClass(inner.htb, found!.at.htb));
    assert.ok(!sameClass(wish, found!.at.htb));
    assert.ok(sameClass(wish, found!.at.htb, true));
  });

  test("a dump of 5,000 classes is complete, with and without its parent", () => {
    veth.make(HTB);
    const errors = veth.socket.send(
      batch((w) => {
        for (let i = 1; i <= 5000; i += 1) encodeClass(w, "add", veth.dev, classAt(i, handle(1), 1e6 + 8 * i));
      }),
    );
    assert.deepEqual(
      errors.filter((error) => error),
      [],
    );
    for (const parent of [handle(1), undefined]) {
      const classes = dumpClasses(veth.socket, veth.dev, parent);
      assert.equal(new Set(classes.map(({ at }) => at.classid)).size, 5000);
      assert.ok(classes.every(({ at }) => at.htb.rate === 1e6 + 8 * (at.classid & 0xffff)));
    }
    assert.deepEqual(dumpClasses(veth.socket, veth.dev, handle(2)), []);
  });
});
