/** The shaper beside what others made, what it made itself earlier, and at the ends of what the kernel can hold. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { describe, test } from "node:test";
import { megabits } from "../../src/core/units.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { type Isp, type Link, type ShaperConfig } from "../../src/shaper/model.ts";
import { Shaper } from "../../src/shaper/shaper.ts";
import { eventually } from "../helpers/eventually.ts";
import { circuit, node, prefixes } from "../helpers/isp.ts";
import { shaperPlace } from "../helpers/egress.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { sendUdp, UdpSink } from "../helpers/udp.ts";

const ISP: Isp = {
  nodes: [node("A", 100)],
  circuits: [
    circuit("c1", "A", 10, { address: "100.64.1.2" }),
    circuit("c2", undefined, 2.5, { address: "100.64.1.3" }),
  ],
};

const qdiscs = (lab: ShapedLab): string =>
  lab.lines("tc qdisc show; tc class show dev lan0; tc class show dev wan0").join("\n");

describe("foreign things", () => {
  test("an ingress qdisc is named with its remedy before anything is changed, and the remedy works", async () => {
    using lab = new ShapedLab();
    lab.router("tc qdisc add dev lan0 ingress");
    const before = qdiscs(lab);
    assert.throws(() => lab.plan(ISP), /lan0: a "ingress" qdisc already occupies.*\n.*tc qdisc del dev lan0 ingress/);
    assert.equal(qdiscs(lab), before);
    lab.router("tc qdisc del dev lan0 ingress; tc qdisc add dev lan0 clsact");
    await lab.apply(ISP);
    assert.deepEqual(lab.plan(ISP), []);
  });

  test("a qdisc that somebody put on a queue of our mq stops apply and cleanup; without it both go on", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    lab.router("tc qdisc replace dev lan0 parent 7fff:2 handle 77: tbf rate 1gbit burst 10kb limit 10kb");
    const before = qdiscs(lab);
    assert.throws(() => lab.plan(ISP), /lan0 has the qdisc tbf 77: on a transmit queue/);
    await assert.rejects(lab.shaper.removeAll(), /FOREIGN_QUEUE/);
    assert.equal(qdiscs(lab), before);
    lab.router("tc qdisc del dev lan0 parent 7fff:2");
    await lab.apply(ISP);
    assert.deepEqual(lab.plan(ISP), []);
    await lab.shaper.removeAll();
    assert.doesNotMatch(qdiscs(lab), /htb|mq 7fff/);
  });
});

describe("what an earlier configuration left", () => {
  const shaperOn = (lab: ShapedLab, link: Link): Shaper =>
    Shaper.open(shaperPlace(lab.root, lab.lab.router.path), link);
  const STICK: Link = { kind: "stick", interface: "lan0", lanVlan: 2, internetVlan: 3 };

  test("an interface that is configured no more is named, keeps its hosts, and cleanup clears it too", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    using stick = shaperOn(lab, STICK);
    const config: ShaperConfig = { ...lab.config, link: STICK };
    assert.throws(() => stick.plan(ISP, config), /Interface wan0 still holds what sluice made there/);
    assert.deepEqual(lab.plan(ISP), [], "nothing was changed");
    await stick.removeAll();
    assert.doesNotMatch(qdiscs(lab), /htb|mq 7fff|clsact/);
    await stick.apply(stick.plan(ISP, config), { kind: "netlink" });
    assert.deepEqual(stick.plan(ISP, config).actions, []);
  });

  test("two links on one machine live side by side with a root each, and not with one", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    lab.router("ip link add lan1 type veth peer name lan1p; ip link add wan1 type veth peer name wan1p");
    const link: Link = { kind: "bridge", lan: "lan1", internet: "wan1" };
    using shared = shaperOn(lab, link);
    assert.throws(
      () => shared.plan(ISP, { ...lab.config, link }),
      /Interface lan0 still holds[^]*Interface wan0 still/,
    );
    const root = `${lab.root}/second`;
    mkdirSync(root);
    using second = Shaper.open(shaperPlace(root, lab.lab.router.path), link);
    await second.apply(second.plan(ISP, { ...lab.config, link }), { kind: "netlink" });
    assert.deepEqual(lab.plan(ISP), []);
    assert.deepEqual(second.plan(ISP, { ...lab.config, link }).actions, []);
    await second.removeAll();
    lab.router(`umount ${root}/sys/fs/bpf/sluice`);
    assert.deepEqual(lab.plan(ISP), []);
  });

  test("a classifier whose pins are lost is detached by cleanup", async () => {
    using lab = new ShapedLab();
    await lab.apply(ISP);
    lab.router(`umount ${pathsBelow(lab.root).pins}`);
    await lab.shaper.removeAll();
    assert.equal(lab.router("tc filter show dev lan0 egress; tc filter show dev wan0 egress"), "");
    assert.deepEqual((await lab.shaper.removeAll()).actions, []);
  });
});

test("a queue that is used no more lets packets pass", async () => {
  using lab = new ShapedLab();
  // On a stick what is in neither VLAN is left to the kernel's choice of a queue.
  const link: Link = { kind: "stick", interface: "lan0", lanVlan: 2, internetVlan: 3 };
  using shaper = Shaper.open(shaperPlace(lab.root, lab.lab.router.path), link);
  const apply = (queues: number) =>
    shaper.apply(shaper.plan(ISP, { ...lab.config, link, queues }), { kind: "netlink" });
  await apply(2);
  await apply(1);
  using _sink = new UdpSink(lab.lab.subscribers);
  const sent = (): number[] =>
    [...lab.router("tc -s class show dev lan0").matchAll(/^class mq 7fff:[34] .*\n Sent \d+ bytes (\d+) pkt/gm)].map(
      ([, packets]) => Number(packets),
    );
  const [subscriber] = prefixes("100.127.255.254");
  const received = (): number => {
    const text = lab.lab.subscribers.run(() =>
      execFileSync("ip", ["-s", "-j", "link", "show", "sub0"], { encoding: "utf8" }),
    );
    return (JSON.parse(text) as { stats64: { rx: { packets: number } } }[])[0]!.stats64.rx.packets;
  };
  sendUdp(lab.lab.router, subscriber!, { count: 1 });
  await eventually(() => assert.ok(received() > 0));
  const before = received();
  // Every socket is a flow of its own: among so many, each queue gets some.
  for (let flow = 0; flow < 64; flow += 1) sendUdp(lab.lab.router, subscriber!, { count: 1 });
  await eventually(() =>
    assert.ok(received() - before >= 64, `${received() - before} of 64 arrived; ${sent().join()}`),
  );
});

describe("extremes", () => {
  test("plans of 10 kbit/s and 1 Tbit/s come back from the kernel as they were given", async () => {
    using lab = new ShapedLab();
    const isp: Isp = {
      nodes: [node("fast", 1e6, [node("slow", 0.01)])],
      circuits: [
        circuit("a", "fast", 1e6, { address: "100.64.1.2", min: 400_000 }),
        circuit("b", "slow", 1e6, { address: "100.64.1.3" }),
        circuit("c", "fast", 0.01, { address: "100.64.1.4" }),
        circuit("d", undefined, 12_345.678901, { address: "100.64.1.5", min: 0.0123 }),
      ],
    };
    const rate = { download: megabits(1e6), upload: megabits(1e6) };
    await lab.apply(isp, { rate });
    assert.deepEqual(lab.plan(isp, { rate }), []);
  });

  test("so do circuits on an interface with the largest MTU", async () => {
    using lab = new ShapedLab({ config: { link: { kind: "bridge", lan: "lo", internet: "wan0" } } });
    await lab.apply(ISP);
    assert.deepEqual(lab.plan(ISP), []);
  });
});
