/** LibreQoS's dialect on the real kernel: its batch run by tc, and the same tree made by netlink. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LibreqosFiles } from "../../src/shaper/libreqos/build.ts";
import { libreqosPlan } from "../../src/shaper/libreqos/dialect.ts";
import { isLibreqosRoot } from "../../src/shaper/libreqos/plan.ts";
import type { ExecutorChoice } from "../../src/shaper/shaper.ts";
import { SHAPER_ACTIONS } from "../../src/shaper/actions.ts";
import { config } from "../helpers/isp.ts";
import { ShapedLab } from "../helpers/shaper.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/isp");
const HEADER =
  "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min,Upload Min,Download Max,Upload Max,Comment\n";
const NETWORK = readFileSync(join(EXAMPLE, "network.json"), "utf8");
const DEVICES = [
  HEADER.trim(),
  "1,One,1,One,Alder Church AP,,100.64.1.1,,1,1,25,8,",
  "2,Two,2,Two,Alder Mill AP,,100.64.1.2,2001:db8:1::/64,2,1,7.5,2.5,",
  "3,Three,3,Three,Brookfield,,100.64.2.0/29,,1,1,60,20,",
  "4,Four,4,Four,,,100.64.1.4,,1,1,20,10,",
  "",
].join("\n");

const files = (devices = DEVICES, network = NETWORK): LibreqosFiles => ({
  network: { text: network, file: "network.json" },
  devices: { text: devices, file: "ShapedDevices.csv" },
});

/** This kernel may lack CAKE; a leaf that every kernel has makes the same tree on all of them. */
const CONFIG = config({ dialect: "libreqos", leaf: { kind: "fq_codel" } });

/** LibreQoS does not start on a machine with one processor. */
const PROCESSORS = 4;

/** LibreQoS's plan with its leaves replaced by pfifo in tc's words and in the typed objects alike. */
function planOf(lab: ShapedLab, input = files(), replaceForeign = false) {
  const plan = lab.shaper.planAs((machine) =>
    libreqosPlan(input, CONFIG, machine, { replaceForeign, processors: PROCESSORS }),
  );
  const actions = plan.actions.map((action) => {
    if (action.kind !== "qdisc.add" || action.at.qdisc.kind !== "fq_codel") return action;
    const line = action.line?.replace(/ fq_codel.*$/, " pfifo limit 77");
    return { ...action, ...(line && { line }), at: { ...action.at, qdisc: { kind: "pfifo" as const, limit: 77 } } };
  });
  return { ...plan, actions };
}

const batchOf = (lab: ShapedLab): string[] =>
  planOf(lab).actions.flatMap((action) => ("line" in action && action.line ? [action.line] : []));

/** Classes and qdiscs, leaf handles (which the kernel chooses) left out. */
function dump(lab: ShapedLab): string[] {
  const text = lab.router("for d in lan0 wan0; do echo $d; tc -d class show dev $d; tc qdisc show dev $d; done");
  return text
    .replaceAll(/leaf [0-9a-f]+:/g, "leaf")
    .replaceAll(/pfifo [0-9a-f]+:/g, "pfifo")
    .replaceAll(/direct_packets_stat \d+/g, "")
    .split("\n")
    .filter((line) => !line.includes("clsact"))
    .toSorted();
}

test("tc -force -batch of LibreQoS's lines and our netlink executor make the same tree, class by class", async () => {
  using ours = new ShapedLab();
  using theirs = new ShapedLab();
  const lines = batchOf(theirs);
  assert.ok(lines.length > 50);
  const file = join(theirs.root, "linux_tc.txt");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  theirs.router(`tc -force -batch ${file}`);
  await ours.shaper.apply(planOf(ours), { kind: "netlink" });
  assert.deepEqual(dump(ours), dump(theirs));
  assert.ok(dump(ours).some((line) => line.includes("ceil 7500Kbit")));
});

test("by tc -batch the same, and a file holds LibreQoS's lines and nothing else", async () => {
  using one = new ShapedLab();
  await one.shaper.apply(planOf(one), { kind: "netlink" });
  using two = new ShapedLab();
  await two.shaper.apply(planOf(two), { kind: "tc" });
  assert.deepEqual(dump(two), dump(one));
  using three = new ShapedLab();
  const choice: ExecutorChoice = { kind: "file", path: join(three.root, "linux_tc.txt"), comments: false };
  const lines = batchOf(three);
  await three.shaper.apply(planOf(three), choice);
  assert.equal(readFileSync(choice.path, "utf8"), lines.map((line) => `${line}\n`).join(""));
});

test("applied twice, only the leaves of this test's making differ; a changed plan changes its two classes in place", async () => {
  using lab = new ShapedLab();
  await lab.shaper.apply(planOf(lab), { kind: "netlink" });
  const lines = (input: LibreqosFiles): string[] =>
    lab.shaper
      .planAs((machine) => libreqosPlan(input, CONFIG, machine, { processors: PROCESSORS }))
      .actions.filter(({ kind }) => kind !== "qdisc.add" && kind !== "qdisc.delete")
      .map((action) => `${SHAPER_ACTIONS.sign(action)} ${SHAPER_ACTIONS.describe(action)}`);
  assert.deepEqual(lines(files()), []);
  const changed = lines(files(DEVICES.replace(",25,8,", ",20,8,")));
  assert.equal(changed.length, 1);
  assert.match(changed[0]!, /^~ class change dev lan0 .* ceil 20mbit/);
});

test("cleanup in this dialect removes LibreQoS's tree; sluice's own dialect calls it foreign", async () => {
  using lab = new ShapedLab();
  await lab.shaper.apply(planOf(lab), { kind: "netlink" });
  assert.throws(() => lab.plan({ nodes: [], circuits: [] }), /root qdisc mq 7fff:, which sluice did not make/);
  await lab.shaper.removeAll({}, isLibreqosRoot);
  assert.doesNotMatch(lab.router("tc qdisc show dev lan0; tc qdisc show dev wan0"), /htb|mq|clsact/);
});
