/** What the kernel tells of changes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { type Change, RtnlMonitor } from "../../src/linux/netlink/monitor.ts";
import { Netns } from "../../src/linux/netns.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** Reads until something is seen. */
async function until(monitor: RtnlMonitor, seen: (change: Change) => boolean): Promise<Change> {
  for (;;) {
    const found = (await monitor.next()).find(seen);
    if (found) return found;
  }
}

test("links that come, change their names and go; qdiscs, classes and filters; nothing of other namespaces", async () => {
  using ns = Netns.create();
  using other = Netns.create();
  using monitor = RtnlMonitor.open(ns);
  ip(other, ["link add stranger type veth peer name peer"]);
  ip(ns, ["link add one type veth peer name two"]);
  const came = await until(monitor, (change) => change.kind === "link" && change.name === "one");
  assert.ok(came.kind === "link" && !came.gone);
  const { ifindex } = came;
  ip(ns, ["link set one name three"]);
  await until(monitor, (change) => change.kind === "link" && change.ifindex === ifindex && change.name === "three");
  for (const line of [
    "qdisc add dev three root handle 1: htb",
    "class add dev three parent 1: classid 1:1 htb rate 1mbit",
    "qdisc add dev three clsact",
    "qdisc del dev three clsact",
  ]) {
    ns.run(() => execFileSync("tc", line.split(" ")));
    await until(monitor, (change) => change.kind === "tc" && change.ifindex === ifindex);
  }
  ip(ns, ["link del three"]);
  const went = await until(monitor, (change) => change.kind === "link" && change.gone && change.ifindex === ifindex);
  assert.ok(went.kind === "link" && went.name === "three");
});

test("one that waits is ended from outside", async () => {
  using ns = Netns.create();
  const monitor = RtnlMonitor.open(ns);
  const waiting = monitor.next();
  monitor[Symbol.dispose]();
  assert.deepEqual(await waiting, []);
});
