/** What a ping feels while TCP fills the plan: one subscriber behind CAKE, one behind a fifo, at the same time. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { measure, Servers } from "../../demo/iperf.ts";
import { LAB } from "../../demo/lab.ts";
import type { Isp } from "../../src/shaper/model.ts";
import { requireLeaves, requireSpeed } from "../helpers/features.ts";
import { circuit } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { addressOf } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { percentile, ping, type RoundTrips, UdpEcho } from "../helpers/udp-echo.ts";

checkFds();

const LEAVES = ["cake", "fifo"] as const;
const ISP: Isp = {
  nodes: [],
  circuits: LEAVES.map((leaf, i) =>
    circuit(leaf, undefined, 10, { address: addressOf(i), leaf: { download: leaf, upload: leaf } }),
  ),
};
const PORTS = LEAVES.map((_, i) => 5201 + i);
const SERVER = LAB.server[4];
/** One way to the Internet's servers. */
const DISTANCE = 20;

const row = (leaf: string, when: string, trips: RoundTrips): string => {
  const at = (share: number): string => `${percentile(trips, share).toFixed(1).padStart(7)} ms`;
  const lost = trips.sent - trips.times.length;
  return `${leaf.padEnd(5)} ${when.padEnd(7)} median ${at(0.5)}  95 % ${at(0.95)}  lost ${lost} of ${trips.sent}`;
};

test("behind CAKE a ping takes less than half as long as behind a fifo while TCP fills both plans", async (t) => {
  if (!requireLeaves(t) || !requireSpeed(t)) return;
  using lab = new ShapedLab({ queues: 1, hosts: LEAVES.map((_, i) => addressOf(i)) });
  await lab.apply(ISP, { leaf: { kind: "auto" } });
  const { internet, subscribers } = lab.lab;
  internet.run(() =>
    execFileSync("tc", ["qdisc", "add", "dev", "inet0", "root", "netem", "delay", `${DISTANCE}ms`, "limit", "10000"]),
  );
  using _servers = await Servers.start(internet, PORTS);
  using echo = await UdpEcho.start(internet, SERVER);
  const pings = (milliseconds: number) =>
    Promise.all(
      LEAVES.map((_, i) => ping(subscribers, addressOf(i), { address: SERVER, port: echo.port }, milliseconds)),
    );
  const idle = await pings(500);
  const flows = LEAVES.map((_, i) =>
    measure(subscribers, {
      client: addressOf(i),
      server: SERVER,
      port: PORTS[i]!,
      direction: "download",
      seconds: 8,
      omit: 0,
    }),
  );
  const loaded = await pings(6000);
  await Promise.all(flows);
  for (const [i, leaf] of LEAVES.entries()) {
    t.diagnostic(row(leaf, "idle", idle[i]!));
    t.diagnostic(row(leaf, "loaded", loaded[i]!));
  }
  const [cake, fifo] = loaded.map((trips) => percentile(trips, 0.5));
  assert.ok(percentile(idle[0]!, 0.5) >= DISTANCE, "the distance is there");
  assert.ok(cake! < fifo! / 2, `median of ${cake} ms behind CAKE, ${fifo} ms behind the fifo`);
});
