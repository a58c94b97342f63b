/**
 * LibreQoS's own lines, given to the real tc as LibreQoS gives them (`tc -force -batch`), and what the kernel then holds
 * against what `toDesired` says of them: the same qdiscs and classes with the same numbers, and the same lines refused.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { type ClassAt, sameClass } from "../../src/core/tc/class.ts";
import { formatHandle, handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import { type QdiscAt, sameQdisc, type SeenQdisc } from "../../src/core/tc/qdisc.ts";
import { dumpLinks, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { readClasses } from "../../src/shaper/fetch.ts";
import type { LibreqosBuilt } from "../../src/shaper/libreqos/build.ts";
import { toDesired } from "../../src/shaper/libreqos/desired.ts";
import { batchText } from "../../src/shaper/libreqos/lines.ts";
import { checkFds } from "../helpers/leaks.ts";
import { builtLibreqos, node, type RowSketch } from "../helpers/libreqos.ts";

checkFds();

/** A namespace with two interfaces of eight queues. */
class Bench implements Disposable {
  readonly ns = Netns.create();
  readonly socket = RtnlSocket.open(this.ns);

  constructor() {
    for (const name of ["eth0", "eth1"]) {
      const words = ["link", "add", name, "numtxqueues", "8", "type", "veth", "peer", "name", `${name}p`];
      const done = this.ns.run(() => spawnSync("ip", words, { encoding: "utf8" }));
      assert.equal(done.status, 0, done.stderr);
    }
  }

  /** Runs the lines; the numbers (from 0) of those that tc or the kernel refused. */
  apply(built: LibreqosBuilt): number[] {
    const input = batchText(built.commands);
    const done = this.ns.run(() => spawnSync("tc", ["-force", "-batch", "-"], { encoding: "utf8", input }));
    return [...done.stderr.matchAll(/Command failed -:(\d+)/g)].map(([, line]) => Number(line) - 1);
  }

  /** What the kernel holds of a device. */
  seen(device: string): { qdiscs: QdiscAt<SeenQdisc>[]; classes: ClassAt[] } {
    const { ifindex } = dumpLinks(this.socket).find(({ name }) => name === device)!;
    const qdiscs = dumpQdiscs(this.socket, ifindex).map(({ at }) => at);
    return { qdiscs, classes: readClasses(this.socket, ifindex, qdiscs).map(({ at }) => at) };
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
    this.ns[Symbol.dispose]();
  }
}

const placeOf = (at: QdiscAt<SeenQdisc>): string => (at.parent === TC_ROOT ? "root" : formatHandle(at.parent));

function compare(built: LibreqosBuilt, bench: Bench): void {
  const { desired } = toDesired(built);
  assert.ok(desired);
  for (const device of desired.devices) {
    const seen = bench.seen(device.name);
    const inner = new Set<number>(device.classes.map(({ parent }) => parent));
    const classes = new Map(seen.classes.map((at) => [at.classid, at]));
    const wished = device.classes.map(({ classid }) => classid);
    assert.deepEqual([...classes.keys()].toSorted(), wished.toSorted(), device.name);
    for (const wish of device.classes) {
      const found = classes.get(wish.classid)!;
      assert.equal(formatHandle(found.parent), formatHandle(wish.parent), formatHandle(wish.classid));
      assert.ok(sameClass(wish.htb, found.htb, inner.has(wish.classid)), formatHandle(wish.classid));
    }
    // Queues without an HTB of ours have the kernel's own default below mq.
    const places = new Map(seen.qdiscs.filter((at) => at.handle !== 0).map((at) => [placeOf(at), at]));
    assert.deepEqual([...places.keys()].toSorted(), device.qdiscs.map((at) => placeOf(at)).toSorted());
    for (const wish of device.qdiscs) {
      const found = places.get(placeOf(wish))!;
      assert.ok(sameQdisc(wish.qdisc, found.qdisc), placeOf(wish));
      if (wish.handle !== handle(0)) assert.equal(found.handle, wish.handle);
    }
  }
}

/** Builds a case with a leaf that every kernel has, applies it, and compares. */
function check(...[network, rows, settings]: Parameters<typeof builtLibreqos>): void {
  const built = builtLibreqos(network, rows, { defaultSqm: "pfifo limit 77", ...settings });
  using bench = new Bench();
  const refused = bench.apply(built);
  const lost = built.commands.flatMap(({ fate }, index) => (fate === "lost" ? index : []));
  assert.deepEqual(refused, lost);
  compare(built, bench);
}

const ROWS: readonly RowSketch[] = [
  { id: "a", parent: "A", rates: [1.25, 0.5, 25.5, 5], ipv4: "10.0.0.1" },
  { id: "b", parent: "B", rates: [1, 1, 100, 20], ipv4: "10.0.0.2" },
  { id: "o", rates: [0.1, 0.1, 0.3125, 2500], ipv4: "10.0.0.3" },
];
const NETWORK = { A: node(200, 100, { children: { B: node(50, 50) } }), C: node(9.9, 9.9) };

describe("LibreQoS's lines on a real kernel", () => {
  test("make what they are said to make", () => check(NETWORK, ROWS));

  test("make it on one interface", () =>
    check(NETWORK, ROWS, {
      link: { lan: "eth0", internet: "eth0", onAStick: true, vlans: { lan: 2, internet: 3 } },
      queuesAvailable: 8,
    }));

  test("make it with nothing limited, and at 400 Gbit/s", () => {
    check(NETWORK, ROWS, { monitorOnly: true });
    check(NETWORK, ROWS, { capacity: { download: 400_000, upload: 100_000 } });
  });

  test("make it with binpacking and the deepest tree there can be", () => {
    const chain = (level: number): object =>
      node(90, 90, level < 12 ? { children: { [`L${level + 1}`]: chain(level + 1) } } : {});
    const rows = Array.from({ length: 12 }, (_, index) => ({ id: `c${index}`, parent: `L${index + 1}` }));
    check({ L1: chain(1) }, rows, { useBinpacking: true });
  });

  test("lose a node below 1 Mbit/s with all below it, in that direction alone", () => {
    const network = { A: node(100, 100, { children: { B: node(0.5, 40) } }) };
    check(network, ROWS);
    const built = builtLibreqos(network, ROWS);
    const [download, upload] = toDesired(built).desired!.devices;
    const [b, leaf] = [handle(1, 6), handle(1, 7)];
    assert.ok(download!.classes.every(({ classid }) => classid !== b && classid !== leaf));
    assert.ok([b, leaf].every((id) => upload!.classes.some(({ classid }) => classid === id)));
  });

  test("lose the default class of a line of 2 Mbit/s, and keep the leaf of the root class for it", () => {
    check(NETWORK, ROWS, { capacity: { download: 2, upload: 2 }, generated: { download: 2, upload: 2 } });
    const built = builtLibreqos({}, [], { capacity: { download: 2, upload: 2 } });
    assert.ok(built.commands.every(({ fate }) => fate !== "transient"));
  });
});
