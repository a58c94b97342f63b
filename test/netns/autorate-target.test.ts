/** What autorate drives, on the real kernel: TBF and HTB as they stand, vanish, come back and are changed by others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { TargetSpec } from "../../src/autorate/config.ts";
import { TARGET_ACTIONS } from "../../src/autorate/targets/actions.ts";
import { DryRunTarget } from "../../src/autorate/targets/dry-run.ts";
import { TargetExecutor } from "../../src/autorate/targets/executor.ts";
import { openTarget } from "../../src/autorate/targets/open.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { execute } from "../../src/core/executor.ts";
import type { RateTarget } from "../../src/core/rate-target.ts";
import { handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import type { QdiscAt, Tbf } from "../../src/core/tc/qdisc.ts";
import { bitsPerSecond, bytes, megabits } from "../../src/core/units.ts";
import { RtnlMonitor } from "../../src/linux/netlink/monitor.ts";
import { OwnPorts } from "../../src/linux/netlink/ports.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { VethPair } from "../helpers/veth.ts";

checkFds();

let veth: VethPair;
beforeEach(() => {
  veth = new VethPair();
});
afterEach(() => veth[Symbol.dispose]());

/** Runs `tc` with these words in the namespace, and gives what it prints. */
function tc(...lines: string[]): string {
  return lines
    .map((line) => {
      const done = veth.ns.run(() => spawnSync("tc", line.split(" "), { encoding: "utf8" }));
      assert.equal(done.status, 0, `tc ${line}: ${done.stderr}`);
      return done.stdout;
    })
    .join("");
}

const shown = (): string => tc("-d qdisc show dev rt0");
const open = (spec: TargetSpec, more: { ports?: OwnPorts } = {}): RateTarget =>
  openTarget(spec, { netns: veth.ns.path, direction: "upload", ...more });
const rate = (target: RateTarget): number | undefined => target.observe()?.rate;

/** That it fails with this code, and a message that has all of these in it. */
async function fails(promise: Promise<unknown>, code: string, ...parts: RegExp[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.match(error.message, part);
    return true;
  });
}

describe("a TBF", () => {
  const TBF: TargetSpec = { kind: "tbf", device: "rt0" };

  test("is set to rates; bucket and limit keep their time, and all else stays", async () => {
    tc("qdisc add dev rt0 root handle 9: tbf rate 20mbit burst 32k limit 157500 overhead 14 mpu 64");
    const before = shown();
    using target = open(TBF);
    assert.equal(target.label, "tbf on rt0");
    assert.deepEqual(target.observe(), { rate: 20e6, sent: 0, backlog: 0 });
    assert.equal(await target.set(megabits(10)), 10e6);
    assert.match(shown(), /^qdisc tbf 9: root refcnt \d+ rate 10Mbit burst 16Kb\S* mpu 64b .*overhead 14 /);
    assert.equal(rate(target), 10e6);
    // So slow that a bucket of 13 ms would hold no packet.
    assert.equal(await target.set(bitsPerSecond(500_004)), 500_000);
    assert.match(shown(), /rate 500Kbit burst 16\d\db/);
    assert.deepEqual(target.show!(bitsPerSecond(500_007)), [], "the kernel holds it already");
    for (const mbit of [3.3, 77, 1000, 0.1, 20]) await target.set(megabits(mbit));
    assert.equal(shown(), before, "after all that it is as it was found");
  });

  test("counts on, tells its backlog, and keeps what waits through a change", async () => {
    tc("qdisc add dev rt0 root tbf rate 8kbit burst 2000 limit 100000");
    using target = open(TBF);
    veth.sendPackets();
    const first = target.observe()!;
    assert.ok(first.sent >= 1000 && first.backlog >= 10_000, JSON.stringify(first));
    await target.set(bitsPerSecond(16_000));
    const second = target.observe()!;
    assert.ok(second.backlog > first.backlog - 5000, "what waits goes on waiting");
    assert.ok(second.sent >= first.sent);
  });

  test("is written only when it is to change, and is seen by nobody who watches for others", async () => {
    tc("qdisc add dev rt0 root tbf rate 20mbit burst 32k limit 100k");
    const own = new OwnPorts();
    using monitor = RtnlMonitor.open(veth.ns, own);
    using target = open(TBF, { ports: own });
    for (const mbit of [10, 11, 11, 11, 12]) assert.equal(await target.set(megabits(mbit)), mbit * 1e6);
    assert.equal(rate(target), 12e6);
    tc("qdisc change dev rt0 root tbf rate 30mbit burst 32k limit 100k");
    const heard = await monitor.next();
    assert.deepEqual(
      heard.map(({ kind }) => kind),
      ["tc"],
      "that of tc alone",
    );
    assert.ok(monitor.leftOut >= 3, `${monitor.leftOut} left out`);
  });

  test("that another process changes is seen so, and set again", async () => {
    tc("qdisc add dev rt0 root tbf rate 20mbit burst 32k limit 100k");
    using target = open(TBF);
    await target.set(megabits(8));
    tc("qdisc change dev rt0 root tbf rate 15mbit burst 20k limit 50k");
    assert.equal(rate(target), 15e6);
    assert.equal(await target.set(megabits(8)), 8e6);
    assert.match(shown(), /rate 8Mbit burst 109\d\db/, "with the time of the bucket that it was given last");
  });

  test("that was replaced is found anew, and counts from there", async () => {
    tc("qdisc add dev rt0 root tbf rate 20mbit burst 32k limit 100k");
    using target = open(TBF);
    veth.sendPackets();
    assert.ok(target.observe()!.sent >= 20_000);
    tc("qdisc del dev rt0 root", "qdisc add dev rt0 root tbf rate 5mbit burst 32k limit 100k");
    assert.deepEqual(target.observe(), { rate: 5e6, sent: 0, backlog: 0 });
    // The same handle, and another kind; then it hangs elsewhere.
    tc("qdisc del dev rt0 root", "qdisc add dev rt0 root handle 7: tbf rate 5mbit burst 32k limit 100k");
    assert.equal(rate(target), 5e6);
    tc("qdisc del dev rt0 root", "qdisc add dev rt0 root handle 7: htb");
    assert.equal(target.observe(), undefined);
    await fails(
      target.set(megabits(3)),
      "AUTORATE_TARGET_MISSING",
      /^error: Cannot find tbf on rt0: it has htb 7: at its root, and no TBF/,
    );
    tc(
      "class add dev rt0 parent 7: classid 7:2 htb rate 1gbit",
      "qdisc add dev rt0 parent 7:2 tbf rate 6mbit burst 32k limit 100k",
    );
    await eventually(() => assert.equal(rate(target), 6e6));
    assert.equal(await target.set(megabits(3)), 3e6);
    assert.match(shown(), /qdisc htb 7: root/);
  });

  test("with a peak rate is refused what lies above, in words; so is what would mean no limit at all", async () => {
    tc("qdisc add dev rt0 root tbf rate 10mbit burst 32k limit 100k peakrate 20mbit mtu 1600");
    const before = shown();
    using target = open(TBF);
    const refused = "AUTORATE_TARGET_REFUSED";
    await fails(
      target.set(megabits(20)),
      refused,
      /Cannot set tbf on rt0 to 20 Mbit\/s: its peakrate of 20mbit/,
      /CAP_NET_ADMIN/,
    );
    for (const none of [0, 7, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await fails(target.set(bitsPerSecond(none)), refused, /the least rate of all is 8 bit\/s/);
    assert.equal(shown(), before);
    assert.equal(await target.set(megabits(12)), 12e6);
    assert.match(shown(), /rate 12Mbit .*peakrate 20Mbit/);
  });
});

describe("a class of an HTB", () => {
  const CLASS: TargetSpec = { kind: "htb", device: "rt0", classid: handle(1, 0x10) };
  const classes = (): string => tc("class show dev rt0");
  beforeEach(() => {
    tc(
      "qdisc add dev rt0 root handle 1: htb default 11",
      "class add dev rt0 parent 1: classid 1:1 htb rate 50mbit",
      "class add dev rt0 parent 1:1 classid 1:10 htb rate 5mbit ceil 20mbit quantum 3000 prio 2 overhead 18",
      "class add dev rt0 parent 1:1 classid 1:11 htb rate 1mbit ceil 50mbit",
      "class add dev rt0 parent 1:10 classid 1:101 htb rate 2mbit ceil 20mbit",
    );
  });

  test("below another is set to a ceiling, and keeps what it was guaranteed as far as that allows", async () => {
    using target = open(CLASS);
    assert.equal(target.label, "class 1:10 of rt0");
    assert.equal(rate(target), 20e6);
    const others = (): string => classes().replaceAll(/^class htb 1:10 .*\n/gm, "");
    const before = others();
    const line = (): string | undefined => /^class htb 1:10 .*$/m.exec(classes())?.[0];
    assert.equal(await target.set(megabits(10)), 10e6);
    assert.match(line()!, /rate 5Mbit overhead 18 ceil 10Mbit .*burst 6250b cburst 12500b/);
    assert.equal(await target.set(megabits(3)), 3e6);
    assert.match(line()!, /rate 3Mbit overhead 18 ceil 3Mbit/);
    assert.equal(await target.set(megabits(40)), 40e6);
    assert.match(line()!, /rate 5Mbit overhead 18 ceil 40Mbit/);
    assert.equal(others(), before, "its children and neighbours are not touched");
  });

  test("on the HTB itself is set as a whole, for nobody lends to it; auto finds it", async () => {
    for (const spec of [
      { ...CLASS, classid: handle(1, 1) },
      { kind: "auto", device: "rt0" },
    ] as const) {
      using target = open(spec);
      assert.equal(rate(target), 50e6);
      assert.equal(target.label, "class 1:1 of rt0");
      assert.equal(await target.set(megabits(7)), 7e6);
      assert.match(classes(), /class htb 1:1 root rate 7Mbit ceil 7Mbit/);
      assert.equal(await target.set(megabits(50)), 50e6);
    }
  });

  test("that is not there is missing, and auto does not choose among several", async () => {
    tc("class add dev rt0 parent 1: classid 1:2 htb rate 1mbit");
    using target = open({ ...CLASS, classid: handle(1, 0x99) });
    assert.equal(target.observe(), undefined);
    await fails(
      target.set(megabits(1)),
      "AUTORATE_TARGET_MISSING",
      /Cannot find class 1:99 of rt0: it has no such class/,
    );
    using any = open({ kind: "auto", device: "rt0" });
    await fails(
      any.set(megabits(1)),
      "AUTORATE_TARGET_MISSING",
      /its HTB 1: has 2 classes \(1:\d, 1:\d\): name the one/,
    );
    tc("class add dev rt0 parent 1: classid 1:99 htb rate 3mbit");
    assert.equal(rate(target), 3e6);
  });
});

describe("auto", () => {
  const AUTO: TargetSpec = { kind: "auto", device: "rt0" };

  test("follows what shapes, from TBF to HTB; what does not shape is in the way and stays", async () => {
    using target = open(AUTO);
    assert.equal(target.label, "what shapes rt0");
    assert.equal(target.observe(), undefined);
    assert.equal(target.absence, "it has no CAKE, TBF or HTB");
    tc("qdisc replace dev rt0 root handle 3: pfifo limit 77");
    const foreign = shown();
    await fails(
      target.set(megabits(1)),
      "AUTORATE_TARGET_MISSING",
      /it has pfifo 3: at its root, and no CAKE, TBF or HTB/,
    );
    assert.equal(shown(), foreign);
    tc("qdisc replace dev rt0 root handle 4: tbf rate 5mbit burst 32k limit 100k");
    assert.equal(await target.set(megabits(4)), 4e6);
    assert.equal(target.absence, undefined);
    assert.equal(target.label, "tbf 4: of rt0");
    tc(
      "qdisc del dev rt0 root",
      "qdisc add dev rt0 root handle 5: htb",
      "class add dev rt0 parent 5: classid 5:1 htb rate 9mbit",
    );
    assert.equal(rate(target), 9e6);
    assert.equal(target.label, "class 5:1 of rt0");
  });

  test("of an interface that vanishes is missing until it is there again, with another index", async () => {
    tc("qdisc add dev rt0 root tbf rate 20mbit burst 32k limit 100k");
    using target = open(AUTO);
    await target.set(megabits(8));
    veth.ip("link", "del", "rt0");
    assert.equal(target.observe(), undefined);
    await fails(
      target.set(megabits(8)),
      "AUTORATE_TARGET_MISSING",
      /there is no interface "rt0"/,
      /looked for again by itself/,
    );
    // Somebody else has its index now.
    veth.ip("link", "add", "other", "index", String(veth.dev), "type", "ifb");
    tc("qdisc add dev other root tbf rate 1mbit burst 32k limit 100k");
    assert.equal(target.observe(), undefined);
    veth.ip("link", "add", "rt0", "type", "veth", "peer", "name", "rt1");
    tc("qdisc add dev rt0 root tbf rate 9mbit burst 32k limit 100k");
    assert.equal(rate(target), 9e6);
    assert.equal(await target.set(megabits(8)), 8e6);
    assert.match(tc("qdisc show dev other"), /rate 1Mbit/);
    // Renamed, it is another one; the name is what counts.
    veth.ip("link", "set", "rt0", "down");
    veth.ip("link", "set", "rt0", "name", "away");
    assert.equal(target.observe(), undefined);
  });
});

test("a namespace that is gone is missing, and of one that came back the interface is found", async () => {
  const ns = `sluice-target-${process.pid}`;
  const ip = (...words: string[]): void => {
    const done = spawnSync("ip", words, { encoding: "utf8" });
    assert.equal(done.status, 0, done.stderr);
  };
  const make = (mbit: number): void => {
    ip("netns", "add", ns);
    ip("-n", ns, "link", "add", "wan", "type", "ifb");
    spawnSync("tc", `-n ${ns} qdisc add dev wan root tbf rate ${mbit}mbit burst 32k limit 100k`.split(" "));
  };
  using _cleared = { [Symbol.dispose]: () => void spawnSync("ip", ["netns", "del", ns]) };
  using target = openTarget({ kind: "tbf", device: "wan" }, { netns: ns, direction: "upload" });
  assert.equal(target.observe(), undefined);
  await fails(target.set(megabits(3)), "AUTORATE_TARGET_MISSING", new RegExp(ns));
  make(5);
  assert.equal(rate(target), 5e6);
  ip("-n", ns, "link", "del", "wan");
  assert.equal(target.observe(), undefined);
  ip("netns", "del", ns);
  make(6);
  assert.equal(rate(target), 6e6);
  assert.equal(await target.set(megabits(3)), 3e6);
});

test("what the kernel refuses comes with its reason", () => {
  tc("qdisc add dev rt0 root handle 6: tbf rate 20mbit burst 32k limit 100k");
  const script = `
    import { openTarget } from "${join(import.meta.dirname, "../../src/autorate/targets/open.ts")}";
    using target = openTarget({ kind: "tbf", device: "rt0" }, { direction: "upload" });
    console.log(target.observe().rate);
    await target.set(5e6).catch((error) => console.log(error.message));
  `;
  const words = ["--bounding-set=-net_admin", process.execPath, "--input-type=module", "-e", script];
  const done = veth.ns.run(() => spawnSync("setpriv", words, { encoding: "utf8" }));
  assert.equal(
    done.stdout,
    `20000000
error: Cannot set tbf on rt0 to 5 Mbit/s: RTM_NEWQDISC: operation not permitted (EPERM) [AUTORATE_TARGET_REFUSED]
    remedy: Check with tc -s qdisc show what is there, and that sluiced may change it (CAP_NET_ADMIN)
`,
    done.stderr,
  );
  assert.match(shown(), /rate 20Mbit/);
});

test("a plan that is carried out on what took the place of what was planned for changes nothing", async () => {
  tc("qdisc add dev rt0 root handle 6: tbf rate 20mbit burst 32k limit 100k");
  const dev = "rt0";
  const was: Tbf = { kind: "tbf", rate: megabits(20), burst: bytes(32_768), limit: bytes(102_400) };
  const at: QdiscAt<Tbf> = { handle: handle(6), parent: TC_ROOT, qdisc: { ...was, rate: megabits(5) } };
  const plan = { actions: [{ kind: "qdisc.change", dev, at, before: was } as const], warnings: [] };
  tc("qdisc del dev rt0 root", "qdisc add dev rt0 root handle 6: pfifo");
  const run = (): Promise<void> => execute(plan, TARGET_ACTIONS, new TargetExecutor(veth.socket, veth.dev));
  await fails(
    run(),
    "APPLY_ROLLED_BACK",
    /"qdisc change dev rt0 root handle 6: tbf rate 5mbit .*": RTM_NEWQDISC: .*\(EINVAL\)/,
  );
  assert.match(shown(), /^qdisc pfifo 6: root/);
  veth.ip("link", "del", "rt0");
  await fails(run(), "APPLY_ROLLED_BACK", /no such device|\(ENODEV\)/);
});

test("a dry run looks, says what it would do, and writes nothing", async () => {
  tc("qdisc add dev rt0 root handle 9: tbf rate 20mbit burst 32k limit 100k");
  const before = shown();
  using target = openTarget(
    { kind: "auto", device: "rt0" },
    { netns: veth.ns.path, direction: "upload", dryRun: true },
  );
  assert.ok(target instanceof DryRunTarget);
  assert.equal(target.wanted, undefined);
  assert.equal(await target.set(bitsPerSecond(5_000_003)), 5_000_000);
  assert.equal(target.wanted, 5_000_000);
  assert.deepEqual(target.show(megabits(5)), [
    "qdisc change dev rt0 root handle 9: tbf rate 5mbit burst 8192b limit 25600b",
  ]);
  assert.equal(rate(target), 20e6, "what is really there");
  assert.match(target.label, /^tbf 9: of rt0 \(dry run\)$/);
  assert.equal(shown(), before);
  tc("qdisc del dev rt0 root");
  await fails(target.set(megabits(5)), "AUTORATE_TARGET_MISSING");
});
