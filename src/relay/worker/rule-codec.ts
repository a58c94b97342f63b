/** Rules as they go to a worker: JSON, with bytes in hex. Two rules that are the same have the same text. */
import type { PlaneOutput, PlaneRule } from "../model.ts";

/** An output on its way. */
export interface WireOutput extends Omit<PlaneOutput, "group" | "source" | "ownMac" | "mac"> {
  readonly group: string;
  readonly source?: string;
  readonly ownMac?: string;
  readonly mac?: string;
}

/** A rule on its way. */
export interface WireRule extends Omit<PlaneRule, "group" | "source" | "outputs"> {
  readonly group: string;
  readonly source?: string;
  readonly outputs: readonly WireOutput[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

const encodeOutput = (output: PlaneOutput): WireOutput => ({
  slot: output.slot,
  ifindex: output.ifindex,
  device: output.device,
  group: hex(output.group),
  port: output.port,
  ttl: output.ttl,
  ...(output.dscp !== undefined && { dscp: output.dscp }),
  ...(output.source && { source: hex(output.source) }),
  ...(output.ownMac && { ownMac: hex(output.ownMac) }),
  ...(output.mac && { mac: hex(output.mac) }),
  mtu: output.mtu,
  ...(output.singly && { singly: true }),
});

const decodeOutput = ({ group, source, ownMac, mac, ...rest }: WireOutput): PlaneOutput => ({
  ...rest,
  group: bytes(group),
  ...(source !== undefined && { source: bytes(source) }),
  ...(ownMac !== undefined && { ownMac: bytes(ownMac) }),
  ...(mac !== undefined && { mac: bytes(mac) }),
});

/** To text. The order of keys is always this one. */
export const encodeRule = (rule: PlaneRule): WireRule => ({
  id: rule.id,
  slot: rule.slot,
  ifindex: rule.ifindex,
  group: hex(rule.group),
  port: rule.port,
  ...(rule.source && { source: hex(rule.source) }),
  vlan: rule.vlan,
  class: rule.class,
  cap: {
    ...(rule.cap.bitsPerSecond !== undefined && { bitsPerSecond: rule.cap.bitsPerSecond }),
    ...(rule.cap.packetsPerSecond !== undefined && { packetsPerSecond: rule.cap.packetsPerSecond }),
  },
  outputs: rule.outputs.map((output) => encodeOutput(output)),
});

/** And back. */
export const decodeRule = ({ group, source, outputs, ...rest }: WireRule): PlaneRule => ({
  ...rest,
  group: bytes(group),
  ...(source !== undefined && { source: bytes(source) }),
  outputs: outputs.map((output) => decodeOutput(output)),
});
