/** The bed of `npm run bench -- autorate`: packets pass it, and what is sent while the line is stopped waits. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { Bed, BED } from "../../bench/autorate/bed.ts";
import { monotonic } from "../../bench/autorate/clock.ts";
import { Prober } from "../../bench/autorate/prober.ts";
import { handle } from "../../src/core/tc/handle.ts";
import { dumpClasses, dumpLinks, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { checkFds } from "../helpers/leaks.ts";
import { eventually } from "../helpers/eventually.ts";

checkFds();

/** Packets that wait in the bottleneck of the download. */
function waiting(bed: Bed): number {
  using socket = RtnlSocket.open(bed.isp);
  const { ifindex } = dumpLinks(socket).find(({ name }) => name === "cust")!;
  return dumpQdiscs(socket, ifindex)[0]!.stats.qlen;
}

/** Packets that left the router by a class of ICMP and by all of the shaper. */
function passed(bed: Bed, device: string): { readonly icmp: number; readonly all: number } {
  using socket = RtnlSocket.open(bed.rtr);
  const { ifindex } = dumpLinks(socket).find(({ name }) => name === device)!;
  const classes = dumpClasses(socket, ifindex, handle(1));
  const packets = (minor: number): number => classes.find(({ at }) => at.classid === handle(1, minor))!.stats.packets;
  return { icmp: packets(0x10), all: packets(1) };
}

test("every reflector answers through the router's shapers, ICMP by its own class", async () => {
  using bed = new Bed();
  bed.shape({ download: 20_000, upload: 5000 });
  for (const address of BED.reflectors) {
    await using prober = new Prober(bed.cli, address, monotonic(), 0.1);
    const { value } = await prober.echoes;
    assert.equal(value.length, 2);
    assert.ok(
      value.every((trip) => trip > 0),
      `${address}: ${value.join(", ")}`,
    );
  }
  for (const device of [BED.shapers.download, BED.shapers.upload]) {
    const { icmp, all } = passed(bed, device);
    assert.equal(icmp, 2 * BED.reflectors.length, device);
    assert.ok(all >= icmp, device);
  }
});

test("probes that come while the line is stopped wait, and pass when it goes on", async () => {
  using bed = new Bed();
  bed.setCapacity("download", "stopped-idle");
  await using prober = new Prober(bed.cli, BED.server, monotonic(), 0.25);
  // The first one is let through by the burst.
  await eventually(() => assert.equal(waiting(bed), 4));
  bed.setCapacity("download", 1000);
  const { value } = await prober.echoes;
  assert.ok(
    value.every((trip) => trip > 0),
    `lost: ${value.join(", ")}`,
  );
  assert.equal(waiting(bed), 0);
});

test("a probe that nobody answers is lost", async () => {
  using bed = new Bed();
  await using prober = new Prober(bed.cli, "192.0.2.200", monotonic(), 0.05);
  const { value } = await prober.echoes;
  assert.deepEqual([...value], [Number.NaN]);
});

test("nothing of the bed is in this namespace", () => {
  using _bed = new Bed();
  const { stdout } = spawnSync("ip", ["-brief", "link"], { encoding: "utf8" });
  for (const name of ["cust", "core", "wan", "ifb4wan"]) assert.doesNotMatch(stdout, new RegExp(`^${name}\\b`, "m"));
});
