/** A recorded run of LibreQoS in execute mode: the Python client drives the daemon, tc the kernel, and the tree is what apply makes. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { libreqosPlan } from "../../src/shaper/libreqos/dialect.ts";
import { megabits } from "../../src/core/units.ts";
import { configureBakery, runScript, skipPython } from "../helpers/bakery-daemon.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { requireLeaves } from "../helpers/features.ts";
import { config } from "../helpers/isp.ts";
import { GOLDEN, goldenSettings, goldenText, skipGolden } from "../helpers/libreqos.ts";
import { ShapedLab } from "../helpers/shaper.ts";

const NAME = "a_example_q4";
const QUEUES = 4;

/** The recorded interfaces under the names of the lab's. */
const renamed = (text: string): string => text.replaceAll("eth1", "lan0").replaceAll("eth0", "wan0");

/** Classes and qdiscs with all that tc tells; handles of leaves, which the kernel chooses, are left out. */
const dump = (lab: ShapedLab): string[] =>
  lab
    .router("for d in lan0 wan0; do echo $d; tc -d class show dev $d; tc -d qdisc show dev $d; done")
    .replaceAll(/leaf [0-9a-f]+:/g, "leaf")
    .replaceAll(/direct_packets_stat \d+/g, "")
    .replaceAll(/cake [0-9a-f]+:/g, "cake")
    .split("\n")
    .filter((line) => !/clsact|^class cake/.test(line))
    .toSorted();

test("call by call the tree is the one that apply makes", { skip: skipPython || skipGolden }, async (t) => {
  if (!requireLeaves(t)) return;
  const network = { text: goldenText(NAME, "network.json")!, file: "network.json" };
  const devices = { text: goldenText(NAME, "ShapedDevices.csv")!, file: "ShapedDevices.csv" };
  const recorded = goldenSettings(NAME);
  using reference = new ShapedLab({ queues: QUEUES });
  const rate = { download: megabits(recorded.capacity.download), upload: megabits(recorded.capacity.upload) };
  const dialect = config({ dialect: "libreqos", leaf: { kind: "cake", diffserv: "diffserv4" }, rate, queues: QUEUES });
  const plan = reference.shaper.planAs((machine) =>
    libreqosPlan({ network, devices }, dialect, machine, { processors: QUEUES }),
  );
  await reference.shaper.apply(plan, { kind: "netlink" });

  await using lab = new DaemonLab("", { queues: QUEUES });
  const settings = { ...recorded, link: { ...recorded.link, lan: "lan0", internet: "wan0" } };
  configureBakery(lab, { settings, network: network.text, devices: devices.text }, "execute");
  await lab.start();
  const calls = join(lab.shaped.root, "calls.jsonl");
  const golden = gunzipSync(readFileSync(join(GOLDEN, "bakery-calls", NAME, "bakery_calls.jsonl.gz"))).toString();
  writeFileSync(calls, renamed(golden));
  const expected = join(lab.shaped.root, "linux_tc.txt");
  writeFileSync(expected, renamed(goldenText(NAME, "linux_tc.txt")!));
  const { status, stdout, stderr } = runScript(lab, "test_bakery_integration.py", [calls, expected, "--execute"]);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.deepEqual(dump(lab.shaped), dump(reference));
});
