/** The shaper's commands against the kernel, as processes of their own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ShapedLab } from "../helpers/shaper.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The example ISP in a folder of the lab, and the command run on it. */
function example(lab: ShapedLab) {
  const folder = join(lab.root, "isp");
  cpSync(join(ROOT, "examples/isp"), folder, { recursive: true });
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(
      process.execPath,
      [join(ROOT, "src/cli/main.ts"), ...args, "--config", join(folder, "sluice.toml"), "--netns", lab.lab.router.path],
      { encoding: "utf8", env: { ...process.env, SLUICE_ROOT: lab.root, ...env } },
    );
  return { folder, run, devices: join(folder, "ShapedDevices.csv") };
}

test("plan, apply, plan: exit code 2 while there is something to change, 0 when not; cleanup leaves nothing", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  const before = run(["plan"]);
  assert.equal(before.status, 2);
  assert.match(before.stdout, /^\+ qdisc add dev lan0 root handle 7fff: mq$/m);
  assert.match(before.stdout, /\d+ to add, 0 to change, 0 to remove/);
  assert.equal(run(["apply"]).status, 0);
  const after = run(["plan"]);
  assert.equal(after.status, 0);
  assert.equal(after.stdout, "Nothing to change.\n");
  assert.match(run(["apply"]).stdout, /^Nothing to change\.$/m);
  const cleanup = run(["cleanup"]);
  assert.equal(cleanup.status, 0);
  assert.match(cleanup.stdout, /^- qdisc del dev lan0 root handle 7fff:$/m);
  assert.equal(lab.router("tc qdisc show | grep -vc 'noqueue\\|pfifo_fast' || true").trim(), "0");
  assert.match(run(["cleanup"]).stdout, /Nothing of sluice's is there/);
});

test("plan --tc is a batch that tc takes", () => {
  using lab = new ShapedLab();
  const { run, folder } = example(lab);
  const { stdout } = run(["plan", "--tc"]);
  const file = join(folder, "batch");
  writeFileSync(file, stdout);
  lab.router(`tc -batch ${file}`);
  assert.match(lab.router("tc class show dev lan0"), /ceil 7500Kbit/);
});

test("bad input changes nothing and exits with 65", () => {
  using lab = new ShapedLab();
  const { run, devices } = example(lab);
  run(["apply"]);
  const state = (): string => lab.router("tc class show dev lan0; tc class show dev wan0; tc qdisc show");
  const before = state();
  writeFileSync(
    devices,
    readFileSync(devices, "utf8").replace(",25,8,", ",25,-8,").replace("Alder Mill AP", "Alder Mull AP"),
  );
  const { status, stderr } = run(["apply"]);
  assert.equal(status, 65);
  assert.match(stderr, /DEVICES_RATE_INVALID/);
  assert.match(stderr, /DEVICES_PARENT_UNKNOWN/);
  assert.equal(state(), before);
});

test("tree, circuit list and circuit get show rates, limits and counters; --json has them all", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  assert.match(run(["shaper", "tree"]).stderr, /the kernel differs from the files/);
  run(["apply"]);
  const tree = run(["shaper", "tree", "--circuits"]);
  assert.equal(tree.status, 0);
  assert.match(tree.stdout, /├─ Alder Hill/);
  assert.match(tree.stdout, /1003 Old Forge/);
  const list = run(["shaper", "circuit", "list"]);
  assert.match(list.stdout, /^1003 +Old Forge +Alder Church AP +7\.5 Mbit\/s \/ 2\.5 Mbit\/s/m);
  const get = run(["shaper", "circuit", "get", "1003"]);
  assert.match(get.stdout, /path to the root:\n {2}Alder Church AP: .*\n {2}Alder Hill: .*\n {2}the link/);
  const json = JSON.parse(run(["shaper", "circuit", "get", "1003", "--json"]).stdout) as {
    circuit: {
      download: { planBitsPerSecond: number; limitedBy: { kind: string }; counters: { bytes: number } };
      path: string[];
    };
  };
  assert.equal(json.circuit.download.planBitsPerSecond, 7_500_000);
  assert.deepEqual(json.circuit.download.limitedBy, { kind: "own" });
  assert.equal(json.circuit.download.counters.bytes, 0);
  assert.deepEqual(json.circuit.path, ["Alder Hill", "Alder Church AP"]);
  const unknown = run(["shaper", "circuit", "get", "10003"]);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /There is no circuit "10003"/);
});

test("shaper tree --circuits --json has the circuits too, and circuit get the ceilings on the way", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  run(["apply"]);
  const tree = JSON.parse(run(["shaper", "tree", "--circuits", "--json"]).stdout) as { circuits: { id: string }[] };
  assert.equal(tree.circuits.length, 14);
  assert.ok(!("circuits" in (JSON.parse(run(["shaper", "tree", "--json"]).stdout) as object)));
  const { circuit } = JSON.parse(run(["shaper", "circuit", "get", "1003", "--json"]).stdout) as {
    circuit: { pathCeilings: object[] };
  };
  assert.deepEqual(circuit.pathCeilings[0], { name: "Alder Hill", download: 40e6, upload: 20e6 });
});

test("the shaper can be looked at where it could not be applied", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  lab.router("tc qdisc add dev lan0 ingress; tc qdisc add dev wan0 root tbf rate 1gbit burst 10kb limit 10kb");
  assert.equal(run(["plan"]).status, 1);
  const { status, stdout, stderr } = run(["shaper", "tree"]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Alder Hill/);
});

test("a program or a file that cannot be used is named", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  const program = run(["apply", "--executor", "tc"], { PATH: "/nonexistent" });
  assert.equal(program.status, 69);
  assert.match(program.stderr, /Cannot run the program "tc"/);
  const file = run(["apply", "--executor", "file", "--output", "/nonexistent/batch"]);
  assert.equal(file.status, 1);
  assert.match(file.stderr, /Cannot open "\/nonexistent\/batch": ENOENT: no such file or directory \[PATH_UNUSABLE\]/);
});

test("a circuit limited by a node says which node", () => {
  using lab = new ShapedLab();
  const { run, folder } = example(lab);
  const network = join(folder, "network.json");
  writeFileSync(
    network,
    readFileSync(network, "utf8").replace('"downloadBandwidthMbps": 120', '"downloadBandwidthMbps": 12'),
  );
  const { stderr } = run(["apply"]);
  assert.match(
    stderr,
    /Circuit "1008" is planned at 30 Mbit\/s download, but node "Brookfield Tower" limits it to 12 Mbit\/s/,
  );
  assert.match(run(["shaper", "circuit", "get", "1008"]).stdout, /limited by +node Brookfield Tower +its plan/);
});

test("executors tc and file: the same objects, or only a file", () => {
  using lab = new ShapedLab();
  const { run, folder } = example(lab);
  const file = join(folder, "batch");
  assert.match(run(["apply", "--executor", "file", "--output", file]).stdout, /^Written to /);
  assert.doesNotMatch(lab.router("tc qdisc show dev lan0"), /htb/);
  assert.equal(run(["apply", "--executor", "tc"]).status, 0);
  assert.equal(run(["plan"]).status, 0);
});

test("SLUICE_LOG shows on stderr what an apply does", () => {
  using lab = new ShapedLab();
  const { run } = example(lab);
  const { stderr } = run(["apply"], { SLUICE_LOG: "shaper=debug" });
  assert.match(stderr, /info shaper: apply by netlink: \d+ to add/);
  assert.match(stderr, /debug shaper: \d+ of \d+ actions done/);
});
