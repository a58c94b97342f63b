/** Rules as planes are told them, for tests of values alone. */
import { addressBytes } from "../../src/core/prefix.ts";
import type { PlaneOutput, PlaneRule } from "../../src/relay/model.ts";

/** An output on an Ethernet interface whose next host is known. */
export const planeOutput = (more: Partial<PlaneOutput> = {}): PlaneOutput => ({
  slot: 10,
  ifindex: 3,
  device: "o1",
  group: addressBytes("239.2.2.2"),
  port: 6000,
  ttl: 1,
  mtu: 1500,
  ownMac: Buffer.from("020000000003", "hex"),
  mac: Buffer.from("01005e020202", "hex"),
  source: addressBytes("10.0.1.1"),
  ...more,
});

/** A rule for 239.1.1.1 port 5000 on interface 2, with one output. */
export const planeRule = (id: string, more: Partial<PlaneRule> = {}): PlaneRule => ({
  id,
  slot: 1,
  ifindex: 2,
  group: addressBytes("239.1.1.1"),
  port: 5000,
  vlan: 0,
  class: "normal",
  cap: {},
  outputs: [planeOutput()],
  ...more,
});
