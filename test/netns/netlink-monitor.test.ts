/** What the kernel tells of changes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import { bitsPerSecond } from "../../src/core/units.ts";
import { getClass, getQdisc, getQdiscAt, interfaceIndex, interfaceMtu } from "../../src/linux/netlink/get.ts";
import { dumpClasses } from "../../src/linux/netlink/dump.ts";
import { type Change, RtnlMonitor } from "../../src/linux/netlink/monitor.ts";
import { OwnPorts } from "../../src/linux/netlink/ports.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeClass } from "../../src/linux/netlink/tc/class.ts";
import { Netns } from "../../src/linux/netns.ts";
import { checkFds } from "../helpers/leaks.ts";
import { batch, classAt, HTB, VethPair } from "../helpers/veth.ts";

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

test("what own sockets write and ask is left out and counted; what others write is told", async () => {
  using veth = new VethPair();
  veth.make(HTB);
  const at = classAt(1, handle(1), 5e6);
  veth.socket.request(batch((w) => encodeClass(w, "add", veth.dev, at)));
  const own = new OwnPorts();
  using socket = RtnlSocket.open(veth.ns);
  using monitor = RtnlMonitor.open(veth.ns, own);
  const change = (by: RtnlSocket, rate: number): void => {
    const changed = { ...at, htb: { ...at.htb, rate: bitsPerSecond(rate) } };
    by.request(batch((w) => encodeClass(w, "change", veth.dev, changed)));
  };
  const next = async (): Promise<number> => (await monitor.next()).length;
  {
    using _registered = own.add(socket);
    for (const rate of [1e6, 2e6, 3e6]) change(socket, rate);
    assert.equal(interfaceIndex(socket, "rt0"), veth.dev);
    assert.equal(getClass(socket, veth.dev, at.classid)?.at.htb.rate, 3e6);
    change(veth.socket, 4e6);
    // All of it has been sent before the last: only that one is told.
    assert.equal(await next(), 1);
    assert.ok(monitor.leftOut >= 3, `${monitor.leftOut} were left out`);
  }
  change(socket, 5e6);
  assert.equal(await next(), 1, "it is as any other when it is not registered any more");
});

test("one thing is asked for at a time, and what is not there is no error", () => {
  using veth = new VethPair();
  const { socket, dev } = veth;
  assert.equal(getQdiscAt(socket, dev, TC_ROOT)?.at.handle ?? 0, 0, "nothing but the kernel's own");
  veth.make(HTB);
  const at = classAt(0x2a, handle(1), 5e6);
  socket.request(batch((w) => encodeClass(w, "add", dev, at)));
  assert.equal(getQdiscAt(socket, dev, TC_ROOT)?.at.qdisc.kind, "htb");
  assert.equal(getQdisc(socket, dev, handle(1))?.at.handle, handle(1));
  assert.deepEqual(getClass(socket, dev, at.classid)?.at, dumpClasses(socket, dev)[0]?.at);
  assert.equal(getQdisc(socket, dev, handle(2)), undefined);
  assert.equal(getQdiscAt(socket, dev, at.classid)?.at.handle ?? 0, 0);
  assert.equal(getClass(socket, dev, handle(1, 3)), undefined, "no such class");
  assert.equal(getClass(socket, dev, handle(2, 3)), undefined, "no such qdisc");
  assert.equal(getQdisc(socket, 9999, handle(1)), undefined, "no such interface");
  assert.equal(getClass(socket, 9999, at.classid), undefined);
  assert.equal(interfaceMtu(socket, "rt0"), 1500);
  for (const name of ["none", "a-name-of-more-than-fifteen"]) assert.equal(interfaceIndex(socket, name), undefined);
});
