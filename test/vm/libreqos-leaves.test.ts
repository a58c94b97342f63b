/** LibreQoS's dialect with the leaves that LibreQoS has: its lines run by tc, and the same tree made by netlink. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import type { LibreqosFiles } from "../../src/shaper/libreqos/build.ts";
import { libreqosPlan } from "../../src/shaper/libreqos/dialect.ts";
import type { LeafChoice } from "../../src/shaper/model.ts";
import { requireLeaves } from "../helpers/features.ts";
import { config } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tcQdiscs } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const PLANS = [1, 2, 3, 4, 10, 300];
const FILES: LibreqosFiles = {
  network: { text: '{ "Site": { "downloadBandwidthMbps": 500, "uploadBandwidthMbps": 500 } }', file: "network.json" },
  devices: {
    text: [
      "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min,Upload Min,Download Max,Upload Max,Comment",
      ...PLANS.map((mbit, i) => `${i},C${i},${i},D${i},Site,,100.64.1.${i + 1},,1,1,${mbit},${mbit},`),
      "",
    ].join("\n"),
    file: "ShapedDevices.csv",
  },
};

const planOf = (lab: ShapedLab, leaf: LeafChoice) =>
  lab.shaper.planAs((machine) => {
    const dialect = config({ dialect: "libreqos", leaf });
    return libreqosPlan(FILES, dialect, machine, { processors: 2 });
  });

/** Classes and qdiscs with all that tc tells; handles of leaves, which the kernel chooses, are left out. */
const dump = (lab: ShapedLab): string[] =>
  lab
    .router("for d in lan0 wan0; do echo $d; tc -d class show dev $d; tc -d qdisc show dev $d; done")
    .replaceAll(/leaf [0-9a-f]+:/g, "leaf")
    .replaceAll(/direct_packets_stat \d+/g, "")
    .replaceAll(/(cake|fq_codel) [0-9a-f]+:/g, "$1")
    .split("\n")
    .filter((line) => !/clsact|^class (cake|fq_codel)/.test(line))
    .toSorted();

for (const leaf of [{ kind: "cake", diffserv: "diffserv4" }, { kind: "fq_codel" }] as const) {
  test(`${leaf.kind} leaves of LibreQoS's lines, of netlink and of tc -batch are the same`, async (t) => {
    if (!requireLeaves(t)) return;
    using theirs = new ShapedLab({ queues: 2 });
    const lines = planOf(theirs, leaf).actions.flatMap((action) => ("line" in action ? (action.line ?? []) : []));
    const file = join(theirs.root, "linux_tc.txt");
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    theirs.router(`tc -force -batch ${file}`);
    for (const kind of ["netlink", "tc"] as const) {
      using ours = new ShapedLab({ queues: 2 });
      await ours.shaper.apply(planOf(ours, leaf), { kind });
      assert.deepEqual(dump(ours), dump(theirs), kind);
      assert.deepEqual(planOf(ours, leaf).actions, [], "a second plan is empty");
    }
    const leaves = tcQdiscs(theirs, LAB.lan).filter(({ kind }) => kind === leaf.kind);
    assert.ok(leaves.length >= PLANS.length);
    // As LibreQoS writes them, without a unit: microseconds. Our own dialect has milliseconds (leaves.test.ts).
    const rtts = new Set(leaves.map(({ options }) => options["rtt"]));
    for (const rtt of leaf.kind === "cake" ? [300, 180, 140, 120, 100_000] : [undefined]) assert.ok(rtts.has(rtt));
  });
}
