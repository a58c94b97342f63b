/** The bakery's commands on the real kernel, and into a file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { Netns } from "../../src/linux/netns.ts";
import { TcRunner } from "../../src/linux/tc/runner.ts";
import { type BakeryMode, carryOut } from "../../src/shaper/bakery/bakery.ts";
import { commandLines } from "../../src/shaper/bakery/lines.ts";
import type { BakeryCommand } from "../../src/shaper/bakery/model.ts";
import { checkFds } from "../helpers/leaks.ts";
import { SETTINGS } from "../helpers/libreqos.ts";

checkFds();

/** A leaf that every kernel has. */
const settings = { ...SETTINGS, defaultSqm: "pfifo limit 77" };
const CLASS = { parent: "0x1:0x3", classid: "0x4", rateMbps: 1, ceilMbps: 105, r2q: 2084 };
const COMMANDS: readonly BakeryCommand[] = [
  { kind: "MqSetup" },
  ...["eth1", "eth0"].flatMap((dev): BakeryCommand[] => [
    { kind: "AddStructuralHTBClass", interface: dev, ...CLASS, parent: "0x1:", classid: "0x3", siteHash: 1n },
    { kind: "AddCircuitHTBClass", interface: dev, ...CLASS, circuitHash: 2n },
    {
      kind: "AddCircuitQdisc",
      interface: dev,
      parentMajor: 1,
      parentMinor: 4,
      circuitHash: 2n,
      sqmParams: ["pfifo", "limit", "50"],
    },
  ]),
];

/** A namespace with LibreQoS's two interfaces, of four queues. */
class Place implements Disposable {
  readonly ns = Netns.create();
  readonly mode: BakeryMode = {
    kind: "execute",
    tc: new TcRunner(this.ns),
    rootOf: (device) => /^qdisc (\w+) .*root/.exec(this.sh(`tc qdisc show dev ${device}`))?.[1],
  };

  constructor() {
    const pair = (name: string) => `link add ${name} numtxqueues 4 numrxqueues 4 type veth peer name ${name}p`;
    ip(this.ns, ["eth0", "eth1"].map(pair));
  }

  run(command: BakeryCommand): Promise<void> {
    return carryOut(command, settings, this.mode);
  }

  sh(command: string): string {
    return this.ns.run(() => spawnSync("sh", ["-c", command], { encoding: "utf8" })).stdout;
  }

  /** What tc shows of both, leaf handles left out; the order of qdiscs is nobody's. */
  dump(): string {
    const shown = ["eth0", "eth1"].map((dev) => this.sh(`tc qdisc show dev ${dev}; tc class show dev ${dev}`));
    const sorted = shown.map((text) =>
      text
        .replaceAll(/(pfifo|leaf) [0-9a-f]+:/g, "$1")
        .split("\n")
        .toSorted(),
    );
    return sorted.flat().join("\n");
  }

  [Symbol.dispose](): void {
    this.ns[Symbol.dispose]();
  }
}

test("one by one they make what all their lines in one batch make", async () => {
  using one = new Place();
  for (const command of COMMANDS) await one.run(command);
  using all = new Place();
  const commands = COMMANDS.flatMap((command) => commandLines(command, settings));
  await all.run({ kind: "ExecuteTCCommands", commands, forceMode: false });
  assert.equal(one.dump(), all.dump());
  assert.match(one.dump(), /class htb 1:4 parent 1:3 leaf prio 3 rate 1Mbit ceil 105Mbit/);
  await one.run({ kind: "ClearPriorSettings" });
  assert.doesNotMatch(one.dump(), /htb|mq/);
  // There is nothing to clear, and that is well; what somebody else has made there meanwhile stays.
  one.sh("tc qdisc add dev eth0 root tbf rate 1gbit burst 10kb limit 10kb");
  await one.run({ kind: "ClearPriorSettings" });
  assert.match(one.dump(), /qdisc tbf/);
});

test("every line that failed is named with the kernel's reason; forced, the others are done", async () => {
  using place = new Place();
  await place.run({ kind: "MqSetup" });
  const commands = [
    "class add dev eth1 parent 0x1: classid 0x3 htb rate 1mbit",
    "class add dev eth1 parent 0x1: classid 0x3 htb rate 1mbit",
    "qdisc add dev nope0 root pfifo",
    "class add dev eth1 parent 0x1: classid 0x4 htb rate 1mbit",
  ];
  await assert.rejects(place.run({ kind: "ExecuteTCCommands", commands, forceMode: true }), {
    code: "BAKERY_LINES",
    message:
      /failed on 2 of 4 lines: line 2 "class add .*": tc: .*exists.*; line 3 "qdisc add dev nope0 root pfifo": tc: .*nope0/s,
  });
  assert.match(place.sh("tc class show dev eth1"), /htb 1:4 /);
  using other = new Place();
  await other.run({ kind: "MqSetup" });
  await assert.rejects(
    other.run({ kind: "ExecuteTCCommands", commands, forceMode: false }),
    /failed on 1 of 4 lines: line 2/,
  );
  assert.doesNotMatch(other.sh("tc class show dev eth1"), /htb 1:4 /);
});

test("in file mode they are written, a line each, without tc in front, and nothing is done", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bakery-"));
  try {
    const path = join(folder, "tc.txt");
    for (const command of COMMANDS) await carryOut(command, settings, { kind: "file", path });
    const lines = COMMANDS.flatMap((command) => commandLines(command, settings));
    assert.equal(readFileSync(path, "utf8"), lines.map((line) => `${line}\n`).join(""));
    await assert.rejects(carryOut(COMMANDS[0]!, settings, { kind: "file", path: folder }), /EISDIR/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
