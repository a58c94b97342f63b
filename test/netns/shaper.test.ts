/** The shaper on the real kernel: what it builds, what packets do with it, and what a change touches. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { both } from "../../src/core/both.ts";
import { keyOf } from "../../src/shaper/allocation.ts";
import { readCounters } from "../../src/shaper/counters.ts";
import { classidOf, sidesOf } from "../../src/shaper/desired.ts";
import { formatHandle } from "../../src/core/tc/handle.ts";
import type { Feature } from "../../src/linux/features.ts";
import { Sysfs } from "../../src/linux/sysfs.ts";
import { readXps, writeXps } from "../../src/linux/xps.ts";
import { type Isp } from "../../src/shaper/model.ts";
import { circuit, node, prefixes } from "../helpers/isp.ts";
import { eventually } from "../helpers/eventually.ts";
import { requireFeature } from "../helpers/features.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { sendUdp, UdpSink } from "../helpers/udp.ts";

const ADDRESSES: Record<string, string> = {
  c1: "100.64.1.2",
  c2: "100.64.1.3",
  c3: "2001:db8:1::5",
  c4: "100.64.2.8/29",
  c5: "2001:db8:2::/64",
};

const ISP: Isp = {
  nodes: [node("A", 100, [node("A1", 50)], { min: 20 }), node("B", 80)],
  circuits: [
    circuit("c1", "A1", 10, { address: ADDRESSES["c1"]!, min: 2 }),
    circuit("c2", "A", 2.5, { address: ADDRESSES["c2"]! }),
    circuit("c3", "B", 30, { address: ADDRESSES["c3"]! }),
    circuit("c4", "B", 20, { address: ADDRESSES["c4"]! }),
    circuit("c5", undefined, 5, { address: ADDRESSES["c5"]! }),
  ],
};

/** A host of each circuit. */
const HOSTS: Record<string, string> = { ...ADDRESSES, c4: "100.64.2.10", c5: "2001:db8:2::77" };
const UNKNOWN = { 4: "100.64.9.9", 6: "2001:db8:9::9" };

const host = (text: string) => prefixes(text)[0]!;

/** Packet steering, which kernels for one processor lack; found by the file of a transmit queue. */
const packetSteering = (file: string): Feature => ({
  name: "packet steering (XPS)",
  minKernel: "2.6.38",
  config: "CONFIG_XPS",
  probe: () => (existsSync(file) ? { state: "present" } : { state: "absent", reason: `there is no ${file}` }),
});

/** The class of a circuit, as tc writes it. */
function classOf(lab: ShapedLab, id: string, direction: "download" | "upload"): string {
  const { built, facts } = lab.shaper.plan(ISP, lab.config);
  const { sides } = sidesOf(lab.config, facts);
  const side = sides.find((candidate) => candidate.direction === direction)!;
  return formatHandle(classidOf(side, built.allocation.get(keyOf.circuit(id))!));
}

for (const queues of [1, 4]) {
  test(`with ${queues} queues every subscriber's packet lands in its class, an unknown host's in a default class`, async () => {
    using shaped = new ShapedLab({ queues, hosts: [...Object.values(HOSTS), ...Object.values(UNKNOWN)] });
    await shaped.apply(ISP);
    const { lab } = shaped;
    using _subscribers = new UdpSink(lab.subscribers);
    using _internet = new UdpSink(lab.internet);
    // Neighbours are looked up before anything is counted, so that no ARP of ours blurs the counts.
    for (const target of [...Object.values(HOSTS), ...Object.values(UNKNOWN)]) {
      const to = host(target);
      sendUdp(lab.internet, to, { count: 1 });
      sendUdp(lab.subscribers, host(LAB.server[to.family]), { from: to, count: 1 });
    }
    for (const [id, text] of Object.entries(HOSTS)) {
      const address = host(text);
      const classes = both((d) => classOf(shaped, id, d));
      const sent = () => ({
        download: shaped.packets(LAB.lan)[classes.download] ?? 0,
        upload: shaped.packets(LAB.wan)[classes.upload] ?? 0,
      });
      const before = sent();
      sendUdp(lab.internet, address, { count: 7 });
      sendUdp(lab.subscribers, host(LAB.server[address.family]), { from: address, count: 5 });
      // On a slow machine the kernel may ask meanwhile whether a neighbour is still there.
      const as = (count: number, wanted: number): boolean => count >= wanted && count <= wanted + 2;
      await eventually(() => {
        const { download, upload } = sent();
        const more = [download - before.download, upload - before.upload] as const;
        const where = `${id} in ${classes.download} and ${classes.upload}: ${more.join()}`;
        assert.ok(as(more[0], 7) && as(more[1], 5), where);
      });
    }
    const fallbacks = (device: string): number =>
      Object.entries(shaped.packets(device)).reduce((sum, [id, n]) => sum + (id.endsWith(":2") ? n : 0), 0);
    const before = { lan: fallbacks(LAB.lan), wan: fallbacks(LAB.wan) };
    for (const text of Object.values(UNKNOWN)) {
      const address = host(text);
      sendUdp(lab.internet, address, { count: 7 });
      sendUdp(lab.subscribers, host(LAB.server[address.family]), { from: address, count: 5 });
    }
    await eventually(() => {
      assert.ok(fallbacks(LAB.lan) - before.lan >= 14);
      assert.ok(fallbacks(LAB.wan) - before.wan >= 10);
    });
  });
}

describe("an apply", () => {
  test("builds an mq with an HTB per queue, all nodes below the link's root class; a second plan is empty", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    assert.deepEqual(lab.plan(ISP), []);
    assert.match(lab.router("tc qdisc show dev lan0"), /qdisc mq 7fff: root/);
    assert.equal(lab.router("tc qdisc show dev lan0").match(/qdisc htb/g)?.length, 4);
    const roots = lab.router("tc class show dev lan0").match(/class htb \S+ root .*/g)!;
    assert.equal(roots.length, 4);
    for (const line of roots) assert.match(line, /:1 root rate 1Gbit ceil 1Gbit/);
    assert.match(lab.router("tc class show dev lan0"), /ceil 2500Kbit/);
  });

  test("on one queue uses a single HTB", async () => {
    using lab = new ShapedLab({ queues: 1 });
    await lab.apply(ISP);
    assert.match(lab.router("tc qdisc show dev lan0"), /qdisc htb 1: root/);
    assert.doesNotMatch(lab.router("tc qdisc show dev lan0"), /mq/);
    assert.deepEqual(lab.plan(ISP), []);
  });

  test("of one changed plan changes that circuit's objects in place, and its queue keeps its packets", async () => {
    // So slow that what is sent waits for seconds.
    const planned = (mbit: number): Isp => ({
      ...ISP,
      circuits: ISP.circuits.map((c) => (c.id === "c2" ? circuit("c2", "A", mbit, { address: HOSTS["c2"]! }) : c)),
    });
    using lab = new ShapedLab({ queues: 1, hosts: Object.values(HOSTS) });
    await lab.apply(planned(0.02));
    const { sides } = sidesOf(lab.config, lab.shaper.plan(ISP, lab.config).facts);
    const slot = lab.shaper.plan(planned(0.02), lab.config).built.allocation.get(keyOf.circuit("c2"))!;
    const classid = classidOf(sides[0]!, slot);
    const counted = () => readCounters(lab.shaper.socket, lab.shaper.devices).get(LAB.lan)!.get(classid)!;
    sendUdp(lab.lab.internet, host(HOSTS["c2"]!), { count: 30, size: 1400 });
    const before = counted();
    assert.ok(before.backlog > 30_000, `backlog of ${before.backlog}`);
    const actions = await lab.apply(planned(0.024));
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ["class.change", "class.change"],
    );
    const after = counted();
    assert.ok(after.backlog > before.backlog / 3, `backlog of ${before.backlog} became ${after.backlog}`);
    assert.ok(after.packets >= before.packets && after.bytes >= before.bytes, "its counters go on");
    assert.equal(after.drops, 0);
    assert.deepEqual(lab.plan(planned(0.024)), []);
  });

  test("of a circuit added, removed or moved touches only its own objects", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    const state = (): string[] =>
      lab.lines("tc class show dev lan0; tc class show dev wan0; tc qdisc show dev lan0; tc qdisc show dev wan0");
    const added: Isp = {
      ...ISP,
      circuits: [...ISP.circuits, circuit("c6", "B", 8, { address: "100.64.3.1", min: 1 })],
    };
    const before = state();
    const adds = await lab.apply(added);
    assert.deepEqual(
      adds.map(({ kind }) => kind),
      ["class.add", "qdisc.add", "class.add", "qdisc.add", "hosts.set"],
    );
    const after = state();
    assert.deepEqual(
      before.filter((line) => !after.includes(line)),
      [],
      "nothing that was there changed",
    );
    const moved: Isp = {
      ...ISP,
      circuits: [...ISP.circuits, circuit("c6", "A1", 8, { address: "100.64.3.1", min: 1 })],
    };
    await lab.apply(moved);
    const elsewhere = state();
    assert.deepEqual(
      before.filter((line) => !elsewhere.includes(line)),
      [],
    );
    await lab.apply(ISP);
    assert.deepEqual(state(), before);
    assert.deepEqual(lab.plan(ISP), []);
  });

  test("never replaces a foreign root qdisc unless told to, and changes nothing when it refuses", async () => {
    using lab = new ShapedLab();
    lab.router("tc qdisc add dev wan0 root handle 9: tbf rate 1gbit burst 10kb limit 10kb");
    const before = lab.router("tc qdisc show; tc class show dev lan0");
    assert.throws(() => lab.plan(ISP), /wan0 has the root qdisc tbf 9:, which sluice did not make/);
    assert.equal(lab.router("tc qdisc show; tc class show dev lan0"), before);
    await lab.apply(ISP, {}, { replaceForeign: true });
    assert.deepEqual(lab.plan(ISP), []);
  });

  test("leaves other people's clsact filters and qdiscs alone, also when cleaning up", async () => {
    using lab = new ShapedLab();
    lab.router(
      "tc qdisc add dev lan0 clsact; tc filter add dev lan0 egress pref 7 protocol ip u32 match ip dst 192.0.2.1 classid 1:1",
    );
    const before = lab.router("tc filter show dev lan0 egress");
    await lab.apply(ISP);
    await lab.shaper.removeAll();
    assert.equal(lab.router("tc filter show dev lan0 egress"), before);
    assert.match(lab.router("tc qdisc show dev lan0"), /clsact/);
    assert.doesNotMatch(lab.router("tc qdisc show dev wan0"), /clsact|htb|mq/);
  });

  test("empties packet steering, which would override the classifier's queues, and puts it back when cleaning up", async (t) => {
    using lab = new ShapedLab();
    using sysfs = Sysfs.open(lab.lab.router);
    if (!requireFeature(t, packetSteering(join(sysfs.path, "class/net/lan0/queues/tx-1/xps_cpus")))) return;
    const steering = new Map([[1, { cpus: "3", rxqs: "0" }]]);
    writeXps(sysfs, "lan0", 1, { cpus: "3", rxqs: "0" });
    assert.deepEqual(readXps(sysfs, "lan0"), steering);
    assert.ok(lab.plan(ISP).includes("~ steering dev lan0 tx-1 cpus 3 -> 0 rxqs 0 -> 0"));
    await lab.apply(ISP);
    assert.deepEqual(readXps(sysfs, "lan0"), new Map());
    assert.deepEqual(lab.plan(ISP), []);
    await lab.shaper.removeAll();
    assert.deepEqual(readXps(sysfs, "lan0"), steering);
    assert.deepEqual((await lab.shaper.removeAll()).actions, []);
  });

  test("by tc -batch makes the same objects as by netlink, and a file holds what would be done", async () => {
    const dump = (lab: ShapedLab): string[] =>
      lab.lines("for d in lan0 wan0; do tc qdisc show dev $d; tc -d class show dev $d; done");
    using one = new ShapedLab();
    await one.apply(ISP);
    using two = new ShapedLab();
    await two.apply(ISP, {}, { executor: { kind: "tc" } });
    assert.deepEqual(dump(two), dump(one));
    assert.deepEqual(two.plan(ISP), []);
    using three = new ShapedLab();
    const file = join(three.root, "batch");
    await three.apply(ISP, {}, { executor: { kind: "file", path: file, comments: true } });
    assert.match(three.router("tc qdisc show dev lan0"), /noqueue|pfifo/);
    three.router(`tc -batch ${file}`);
    assert.deepEqual(
      dump(three).filter((line) => !line.includes("clsact")),
      dump(one).filter((line) => !line.includes("clsact")),
    );
    assert.match(readFileSync(file, "utf8"), /^# \+ classifier dev lan0 egress \(download\)$/m);
  });

  test("in tc mode names the line that tc refused, and takes back what was done", async () => {
    using lab = new ShapedLab();
    const plan = lab.shaper.plan(ISP, lab.config);
    lab.router("tc qdisc add dev lan0 root handle 7fff: mq");
    await assert.rejects(
      lab.shaper.apply(plan, { kind: "tc" }),
      /"qdisc add dev lan0 root handle 7fff: mq": tc: .*taken back/s,
    );
    assert.doesNotMatch(lab.router("tc qdisc show dev wan0"), /htb|7fff/);
  });
});

describe("modes and leaves", () => {
  test("observe-only builds the same classes without limits and leaves, and switches to shaping in place", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP, { mode: "observe" });
    const classes = lab.router("tc class show dev lan0");
    assert.doesNotMatch(classes, /ceil 10Mbit/);
    assert.match(classes, /ceil 100Gbit/);
    assert.doesNotMatch(lab.router("tc qdisc show dev lan0"), /fifo/);
    const actions = await lab.apply(ISP);
    assert.ok(actions.every(({ kind }) => kind === "class.change" || kind === "qdisc.add"));
    assert.deepEqual(lab.plan(ISP), []);
  });

  test('leaf "none" and per-circuit overrides decide over leaves', async () => {
    using lab = new ShapedLab({ queues: 1 });
    await lab.apply(ISP, { leaf: { kind: "none" } });
    assert.doesNotMatch(lab.router("tc qdisc show dev lan0"), /fifo/);
    const overridden: Isp = {
      nodes: [],
      circuits: [circuit("x", undefined, 5, { address: "100.64.1.9", leaf: { download: "fifo", upload: "none" } })],
    };
    await lab.apply(overridden, { leaf: { kind: "none" } });
    assert.match(lab.router("tc qdisc show dev lan0"), /bfifo/);
    assert.doesNotMatch(lab.router("tc qdisc show dev wan0"), /bfifo/);
  });

  test('a leaf kind that the kernel lacks is found by probing: an error when wished for, said when leaf is "auto"', async () => {
    using lab = new ShapedLab();
    const { facts } = lab.shaper.plan(ISP, lab.config);
    if (facts.leafKinds.has("cake")) {
      await lab.apply(ISP, { leaf: { kind: "cake", diffserv: "diffserv4" } });
      assert.match(lab.router("tc qdisc show dev lan0"), /cake/);
      return;
    }
    assert.throws(() => lab.plan(ISP, { leaf: { kind: "cake" } }), /SHAPER_LEAF_UNAVAILABLE/);
    const { warnings } = lab.shaper.plan(ISP, { ...lab.config, leaf: { kind: "auto" } });
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["SHAPER_LEAF_FALLBACK"],
    );
    await lab.apply(ISP, { leaf: { kind: "auto" } });
  });

  test("a flat network spreads circuits over the queues; the link's root class is above all of them", async () => {
    using lab = new ShapedLab();
    const flat: Isp = {
      nodes: [],
      circuits: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => circuit(`f${i}`, undefined, 10, { address: `100.64.1.${i}` })),
    };
    await lab.apply(flat);
    const lines = lab.router("tc class show dev lan0").match(/class htb \S+ parent \S+ .*ceil 10Mbit/g)!;
    const majors = lines.map((line) => /class htb (\S+?):/.exec(line)![1]!);
    for (const major of new Set(majors)) assert.equal(majors.filter((m) => m === major).length, 2);
    assert.equal(new Set(majors).size, 4);
  });

  test("on a stick both directions share the interface, with one queue and with several", async () => {
    for (const queues of [1, 4]) {
      using lab = new ShapedLab({
        queues,
        config: { link: { kind: "stick", interface: "lan0", lanVlan: 2, internetVlan: 3 } },
      });
      await lab.apply(ISP);
      assert.deepEqual(lab.plan(ISP), []);
      const classes = lab.router("tc class show dev lan0");
      assert.equal(classes.match(/ceil 2500Kbit/g)?.length, 2);
    }
  });

  test("a tree deeper than HTB allows is built as far as it goes", async () => {
    using lab = new ShapedLab({ queues: 1 });
    let deep = node("L9", 10);
    for (let level = 8; level >= 1; level -= 1) deep = node(`L${level}`, 10 + 5 * (9 - level), [deep]);
    const circuits = Array.from({ length: 9 }, (_, i) =>
      circuit(`d${i}`, `L${i + 1}`, 5, { address: `100.64.1.${i + 1}` }),
    );
    const isp: Isp = { nodes: [deep], circuits };
    const { warnings } = lab.shaper.plan(isp, lab.config);
    assert.ok(warnings.some(({ code }) => code === "SHAPER_TREE_FLATTENED"));
    await lab.apply(isp);
    assert.deepEqual(lab.plan(isp), []);
  });
});

test("guarantees of siblings never add up to more than their parent's, in the kernel's own numbers", async () => {
  using lab = new ShapedLab();
  await lab.apply(ISP);
  const { devices } = lab.shaper.fetch();
  for (const { classes } of devices.values()) {
    for (const at of classes) {
      const below = classes.filter((child) => child.parent === at.classid);
      const sum = below.reduce((total, child) => total + child.htb.rate, 0);
      assert.ok(sum <= at.htb.rate, `${formatHandle(at.classid)}: ${sum} of ${at.htb.rate}`);
    }
  }
});
