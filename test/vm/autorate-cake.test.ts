/** CAKE as what autorate drives, wherever it hangs: only its bandwidth ever changes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import { openTarget } from "../../src/autorate/targets/open.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { bitsPerSecond, megabits } from "../../src/core/units.ts";
import { qdiscFeature } from "../../src/linux/features.ts";
import { RtnlMonitor } from "../../src/linux/netlink/monitor.ts";
import { OwnPorts } from "../../src/linux/netlink/ports.ts";
import { requireFeature } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { VethPair } from "../helpers/veth.ts";

checkFds();

const requireCake = (t: TestContext): boolean => requireFeature(t, qdiscFeature("cake"));

function tc(veth: VethPair, ...lines: string[]): string {
  return lines
    .map((line) => {
      const done = veth.ns.run(() => spawnSync("tc", line.split(" "), { encoding: "utf8" }));
      assert.equal(done.status, 0, `tc ${line}: ${done.stderr}`);
      return done.stdout;
    })
    .join("");
}

/** Every option is another than the kernel's default, in all of them together. */
const OPTIONS = [
  "diffserv8 dual-srchost nat wash ack-filter no-split-gso ingress rtt 50ms noatm overhead 38 mpu 84 memlimit 5mb fwmark 0xff",
  "besteffort flows nonat nowash ack-filter-aggressive split-gso egress rtt 300ms ptm overhead -4 memlimit 1mb",
  "precedence hosts atm overhead 44 mpu 64",
  "diffserv4 triple-isolate raw",
];

/** Where it hangs, what is made for that first, and its place. */
const PLACES: readonly (readonly [name: string, first: readonly string[], place: string])[] = [
  ["at the root", [], "root"],
  [
    "below an HTB",
    ["qdisc add dev rt0 root handle 1: htb default 10", "class add dev rt0 parent 1: classid 1:10 htb rate 1gbit"],
    "parent 1:10",
  ],
  ["below mq", ["qdisc add dev rt0 root handle 1: mq"], "parent 1:2"],
];

for (const [name, first, place] of PLACES) {
  test(`${name} its bandwidth follows, and all else stays over ten changes`, async (t) => {
    if (!requireCake(t)) return;
    using veth = new VethPair();
    const shown = (): string => tc(veth, "qdisc show dev rt0");
    for (const options of OPTIONS) {
      veth.clear();
      tc(veth, ...first, `qdisc add dev rt0 ${place} handle 8a: cake bandwidth 20mbit ${options}`);
      const before = shown();
      assert.match(before, /bandwidth 20Mbit/);
      using target = openTarget({ kind: "cake", device: "rt0" }, { netns: veth.ns.path, direction: "upload" });
      for (const kbit of [19_000, 7000, 333, 64, 100_000, 1_000_000, 12_345, 12_344, 8, 5000]) {
        const rate = bitsPerSecond(kbit * 1000);
        assert.equal(await target.set(rate), rate);
        assert.equal(target.observe()?.rate, rate);
        const text = shown();
        assert.notEqual(text, before);
        assert.equal(text.replace(/bandwidth \S+/, "bandwidth 20Mbit"), before, options);
      }
      assert.deepEqual(target.show!(megabits(20)), [`qdisc change dev rt0 ${place} handle 8a: cake bandwidth 20mbit`]);
      await target.set(megabits(20));
      assert.equal(shown(), before);
    }
  });
}

test("it counts what was sent and what waits, and is found anew when it was replaced", async (t) => {
  if (!requireCake(t)) return;
  using veth = new VethPair();
  tc(veth, "qdisc add dev rt0 root cake bandwidth 64kbit");
  using target = openTarget({ kind: "auto", device: "rt0" }, { netns: veth.ns.path, direction: "upload" });
  assert.equal(target.observe()?.rate, 64_000);
  veth.sendPackets();
  const { sent, backlog } = target.observe()!;
  assert.ok(sent > 0 && backlog > 0, `${sent} and ${backlog}`);
  await target.set(bitsPerSecond(72_000));
  assert.ok(target.observe()!.sent >= sent, "it goes on counting");
  tc(veth, "qdisc replace dev rt0 root handle 77: cake unlimited");
  assert.deepEqual(target.observe(), { rate: undefined, sent: 0, backlog: 0 });
  assert.equal(target.label, "cake 77: of rt0");
  assert.equal(await target.set(megabits(3)), 3e6);
  assert.match(tc(veth, "qdisc show dev rt0"), /bandwidth 3Mbit/);
  tc(veth, "qdisc change dev rt0 root cake bandwidth 9mbit");
  assert.equal(target.observe()?.rate, 9e6);
  assert.equal(await target.set(megabits(3)), 3e6);
});

test("one that sets its rate by itself is left alone", async (t) => {
  if (!requireCake(t)) return;
  using veth = new VethPair();
  tc(veth, "qdisc add dev rt0 root cake bandwidth 20mbit autorate-ingress ingress");
  const before = tc(veth, "qdisc show dev rt0");
  using target = openTarget({ kind: "cake", device: "rt0" }, { netns: veth.ns.path, direction: "download" });
  await assert.rejects(
    target.set(megabits(5)),
    (error) =>
      error instanceof SluiceError &&
      error.code === "AUTORATE_TARGET_REFUSED" &&
      error.message.includes("it sets its rate by itself (autorate-ingress)"),
  );
  assert.equal(tc(veth, "qdisc show dev rt0"), before);
});

test("who watches the kernel hears neither its looks nor its writes", async (t) => {
  if (!requireCake(t)) return;
  using veth = new VethPair();
  tc(veth, "qdisc add dev rt0 root cake bandwidth 20mbit");
  const ports = new OwnPorts();
  using target = openTarget({ kind: "cake", device: "rt0" }, { netns: veth.ns.path, direction: "upload", ports });
  using monitor = RtnlMonitor.open(veth.ns, ports);
  for (const mbit of [5, 6, 7]) {
    target.observe();
    await target.set(megabits(mbit));
  }
  tc(veth, "qdisc change dev rt0 root cake bandwidth 9mbit");
  assert.equal((await monitor.next()).length, 1);
  assert.ok(monitor.leftOut >= 3);
  t.diagnostic(`${monitor.leftOut} messages about 3 writes and their looks were left out`);
});
