/** What a ping feels while TCP fills the plan: subscribers with a leaf each, side by side at the same time. */
import { execFileSync } from "node:child_process";
import { measure, Servers } from "../../demo/iperf.ts";
import { LAB } from "../../demo/lab.ts";
import type { Isp, LeafOverride } from "../../src/shaper/model.ts";
import { circuit } from "./isp.ts";
import { addressOf } from "./leaves.ts";
import { ShapedLab } from "./shaper.ts";
import { ping, type RoundTrips, UdpEcho } from "./udp-echo.ts";

/** One way to the Internet's servers, in milliseconds, by netem. */
export const DISTANCE = 20;

/** Round trips of one subscriber. */
export interface Felt {
  readonly idle: RoundTrips;
  readonly loaded: RoundTrips;
}

const FIRST_PORT = 5201;
const SERVER = LAB.server[4];
/** Milliseconds without load. */
const IDLE = 500;

/**
 * Measures all leaves at a time, each with a plan of its own and a TCP (cubic) download.
 *
 * @param mbit of the plan @param seconds of pings under load
 */
export async function feelLatency<L extends LeafOverride>(
  leaves: readonly L[],
  mbit: number,
  seconds: number,
): Promise<Record<L, Felt>> {
  const isp: Isp = {
    nodes: [],
    circuits: leaves.map((leaf, i) =>
      circuit(leaf, undefined, mbit, { address: addressOf(i), leaf: { download: leaf, upload: leaf } }),
    ),
  };
  using lab = new ShapedLab({ queues: 1, hosts: leaves.map((_, i) => addressOf(i)) });
  await lab.apply(isp, { leaf: { kind: "auto" } });
  const { internet, subscribers } = lab.lab;
  internet.run(() =>
    execFileSync("tc", ["qdisc", "add", "dev", "inet0", "root", "netem", "delay", `${DISTANCE}ms`, "limit", "10000"]),
  );
  const ports = leaves.map((_, i) => FIRST_PORT + i);
  using _servers = await Servers.start(internet, ports);
  using echo = await UdpEcho.start(internet, SERVER);
  const to = { address: SERVER, port: echo.port };
  const pings = (milliseconds: number) =>
    Promise.all(leaves.map((_, i) => ping(subscribers, addressOf(i), to, milliseconds)));
  const idle = await pings(IDLE);
  const flows = ports.map((port, i) =>
    measure(subscribers, {
      client: addressOf(i),
      server: SERVER,
      port,
      direction: "download",
      seconds: seconds + 2,
      omit: 0,
    }),
  );
  const loaded = await pings(seconds * 1000);
  await Promise.all(flows);
  const felt = leaves.map((leaf, i) => [leaf, { idle: idle[i]!, loaded: loaded[i]! }]);
  return Object.fromEntries(felt) as Record<L, Felt>;
}
