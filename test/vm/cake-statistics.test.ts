/** What a CAKE counts: kept through a change of its circuit's plan, the same in our decoder as in tc, and shown. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { formatHandle } from "../../src/core/tc/handle.ts";
import { bytes } from "../../src/core/units.ts";
import { dumpLinks, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import type { CakeTin } from "../../src/linux/netlink/tc/cake-stats.ts";
import type { QdiscRecord } from "../../src/linux/netlink/tc/qdisc.ts";
import { requireLeaves } from "../helpers/features.ts";
import { eventually } from "../helpers/eventually.ts";
import { prefixes } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { addressOf, downloadClass, flatIsp, tcQdiscs } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { sendUdp } from "../helpers/udp.ts";

checkFds();

const SUBSCRIBER = prefixes(addressOf(0))[0]!;
const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** The CAKE of the first circuit towards the subscribers. */
function cakeOf(lab: ShapedLab, classid: string): QdiscRecord {
  const { socket } = lab.shaper;
  const device = dumpLinks(socket).find(({ name }) => name === LAB.lan)!;
  const records = dumpQdiscs(socket, device.ifindex, { cakeStats: true });
  return records.find(({ at }) => formatHandle(at.parent) === classid)!;
}

test("a changed plan changes the CAKE in place: what waits goes on waiting, and its numbers go on", async (t) => {
  if (!requireLeaves(t)) return;
  // Slow enough for a backlog of seconds; between the two, CAKE's rtt changes too.
  const [slow, faster] = [flatIsp([1]), flatIsp([1.6])];
  using lab = new ShapedLab({ queues: 1, hosts: [addressOf(0)], config: { leaf: { kind: "cake" } } });
  await lab.apply(slow);
  const classid = downloadClass(lab, slow, "c1");
  const seen = ({ stats }: QdiscRecord): number => stats.packets + stats.qlen + stats.drops;
  sendUdp(lab.lab.internet, SUBSCRIBER, { count: 400, size: 1400 });
  const before = await eventually(() => {
    const cake = cakeOf(lab, classid);
    assert.ok(seen(cake) >= 400);
    return cake;
  });
  assert.ok(before.stats.backlog > 60_000, `backlog of ${before.stats.backlog}`);
  const actions = await lab.apply(faster);
  assert.deepEqual(actions.map(({ kind }) => kind).toSorted(), [
    "class.change",
    "class.change",
    "qdisc.change",
    "qdisc.change",
  ]);
  const after = cakeOf(lab, classid);
  assert.ok(after.stats.backlog > 10_000, `backlog of ${before.stats.backlog} became ${after.stats.backlog}`);
  assert.ok(after.stats.packets > 0 && after.stats.packets >= before.stats.packets, "it goes on counting");
  assert.equal(seen(after), seen(before), "each packet has left, was dropped, or waits");
  assert.equal(after.at.handle, before.at.handle);
  assert.equal(tcQdiscs(lab, LAB.lan).find(({ parent }) => parent === classid)!.options["rtt"], 180_000);
});

/** Our names for the numbers of a tin, and those of tc's JSON. */
const TIN_NAMES: Readonly<Record<keyof Omit<CakeTin, UnshownByTc>, string>> = {
  sentPackets: "sent_packets",
  sentBytes: "sent_bytes",
  droppedPackets: "drops",
  ackDroppedPackets: "ack_drops",
  ecnPackets: "ecn_mark",
  backlogBytes: "backlog_bytes",
  thresholdRate: "threshold_rate",
  target: "target_us",
  interval: "interval_us",
  wayIndirectHits: "way_indirect_hits",
  wayMisses: "way_misses",
  wayCollisions: "way_collisions",
  peakDelay: "peak_delay_us",
  averageDelay: "avg_delay_us",
  baseDelay: "base_delay_us",
  sparseFlows: "sparse_flows",
  bulkFlows: "bulk_flows",
  unresponsiveFlows: "unresponsive_flows",
  maxPacketLength: "max_pkt_len",
  quantum: "flow_quantum",
};
type UnshownByTc = "droppedBytes" | "ackDroppedBytes" | "ecnBytes" | "backlogPackets";

test("the numbers of every tin are those that tc shows", async (t) => {
  if (!requireLeaves(t)) return;
  const isp = flatIsp([5]);
  const leaf = { kind: "cake", diffserv: "diffserv4", memlimit: bytes(60_000) } as const;
  using lab = new ShapedLab({ queues: 1, hosts: [addressOf(0)], config: { leaf } });
  await lab.apply(isp);
  const classid = downloadClass(lab, isp, "c1");
  // Best effort, bulk (CS1), video (AF41) and voice (EF); more than the memory limit lets wait.
  for (const tos of [0, 0x20, 0x88, 0xb8]) sendUdp(lab.lab.internet, SUBSCRIBER, { count: 40, size: 1200, tos });
  // Only what stands still can be compared: the class gets no tokens any more.
  lab.router(`tc class change dev ${LAB.lan} classid ${classid} htb rate 8bit ceil 8bit burst 1 cburst 1`);
  const { ours, theirs } = await eventually(() => {
    const both = {
      ours: cakeOf(lab, classid),
      theirs: tcQdiscs(lab, LAB.lan).find(({ parent }) => parent === classid)!,
    };
    const renamed = both.ours.cake!.tins.map((tin) =>
      Object.fromEntries(Object.entries(TIN_NAMES).map(([name, tc]) => [tc, tin[name as keyof CakeTin]])),
    );
    // One packet may still have been let go in between.
    assert.deepEqual(renamed, both.theirs.tins);
    return both;
  });
  assert.equal(ours.cake!.tins.length, 4);
  for (const tin of ours.cake!.tins) assert.ok(tin.sentPackets + tin.backlogPackets + tin.droppedPackets >= 40);
  assert.ok(ours.stats.drops > 0);
  const { bytes: sent, packets, drops, backlog } = theirs;
  assert.deepEqual(
    [ours.stats.bytes, ours.stats.packets, ours.stats.drops, ours.stats.backlog],
    [sent, packets, drops, backlog],
  );
});

test("`sluice shaper circuit get` shows the packets and the drops of the CAKE", async (t) => {
  if (!requireLeaves(t)) return;
  using lab = new ShapedLab({ queues: 1, hosts: [addressOf(0)] });
  const folder = join(lab.root, "isp");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "sluice.toml"),
    `[shaper]
network = "network.json"
devices = "ShapedDevices.csv"
lan = "lan0"
internet = "wan0"
download = "1gbit"
upload = "1gbit"
leaf = "cake memlimit 30kb"
`,
  );
  writeFileSync(join(folder, "network.json"), "{}\n");
  writeFileSync(
    join(folder, "ShapedDevices.csv"),
    "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min,Upload Min,Download Max,Upload Max,Comment\n" +
      `c1,First,d1,Router,,,${addressOf(0)},,1,1,2,2,\n`,
  );
  const sluice = (...args: string[]) => {
    const place = ["--config", join(folder, "sluice.toml"), "--netns", lab.lab.router.path];
    const env = { ...process.env, SLUICE_ROOT: lab.root };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, ...place], {
      encoding: "utf8",
      env,
    });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  sluice("apply");
  sendUdp(lab.lab.internet, SUBSCRIBER, { count: 100, size: 1400 });
  const { circuit } = JSON.parse(sluice("shaper", "circuit", "get", "c1", "--json")) as {
    circuit: { download: { classid: string; counters: { drops: number; packets: number; leaf: string } } };
  };
  const { classid, counters } = circuit.download;
  const shown = tcQdiscs(lab, LAB.lan).find(({ parent }) => parent === classid)!;
  assert.ok(counters.drops > 20, `${counters.drops} drops of 100 packets of which 20 fit`);
  // CAKE may drop a late packet between the two looks.
  assert.ok(Math.abs(shown.drops - counters.drops) <= 3, `tc shows ${shown.drops}, we ${counters.drops}`);
  assert.equal(counters.leaf, "cake");
  assert.ok(counters.packets > 0);
  assert.match(sluice("shaper", "circuit", "get", "c1"), /^drops +\d\d+ /m);
});
