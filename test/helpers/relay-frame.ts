/** Frames with UDP, every field of which a test can set, right or wrong. */
import { addressBytes } from "../../src/core/prefix.ts";
import { checksum } from "../../src/linux/packet/frame.ts";
import { groupMac, isGroup } from "../../src/relay/resolve.ts";

/** What a frame holds. */
export interface FrameFields {
  readonly from?: string;
  readonly to: string;
  readonly fromPort?: number;
  readonly port?: number;
  readonly payload?: Buffer;
  readonly ttl?: number;
  /** All 8 bits. */
  readonly tos?: number;
  /** Destination hardware address, instead of the group's. */
  readonly mac?: Uint8Array;
  /** In the frame. */
  readonly vlan?: number;
  /** Ethernet type of the tag. */
  readonly tagType?: number;
  /** Flags and offset of IPv4 fragments, 16 bits. */
  readonly fragment?: number;
  readonly protocol?: number;
  /** IPv4 options or IPv6 extension headers, whole; the next header of the last is `protocol`. */
  readonly options?: Buffer;
  /** First IPv6 next header, when there are extension headers. */
  readonly next?: number;
  /** What the UDP header says instead of the truth. */
  readonly udpLength?: number;
  /** What the IP header says instead of the truth: IPv4 total length, IPv6 payload length. */
  readonly ipLength?: number;
  /** Added to the right IPv4 header checksum. */
  readonly checksumOff?: number;
  /** Ethernet padding. */
  readonly padding?: number;
}

const u16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
};
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);

/** A frame, with the right checksums unless told otherwise. */
export function relayFrame(fields: FrameFields): Buffer {
  const { to, port = 5000, payload = Buffer.from("payload"), ttl = 4, tos = 0, protocol = 17 } = fields;
  const v4 = !to.includes(":");
  const source = addressBytes(fields.from ?? (v4 ? "192.0.2.77" : "2001:db8::77"));
  const destination = addressBytes(to);
  const options = fields.options ?? Buffer.alloc(0);
  const udp = Buffer.concat([u16(fields.fromPort ?? 40_000, port, fields.udpLength ?? 8 + payload.length, 0), payload]);
  const pseudo = Buffer.concat([source, destination, u16(17, udp.length)]);
  udp.writeUInt16BE(checksum(padded(Buffer.concat([pseudo, udp]))) || 0xffff, 6);
  let ip: Buffer;
  if (v4) {
    const words = 5 + options.length / 4;
    const total = fields.ipLength ?? 4 * words + udp.length;
    const start = u16(((0x40 | words) << 8) | tos, total, 7, fields.fragment ?? 0, (ttl << 8) | protocol, 0);
    ip = Buffer.concat([start, source, destination, options]);
    ip.writeUInt16BE((checksum(ip) + (fields.checksumOff ?? 0)) & 0xffff, 10);
  } else {
    const length = fields.ipLength ?? options.length + udp.length;
    const start = u16(0x6000 | (tos << 4), 0, length, ((fields.next ?? protocol) << 8) | ttl);
    ip = Buffer.concat([start, source, destination, options]);
  }
  const mac = fields.mac ?? (isGroup(destination) ? groupMac(destination) : Buffer.from("020000000002", "hex"));
  const tag = fields.vlan === undefined ? Buffer.alloc(0) : u16(fields.tagType ?? 0x8100, fields.vlan);
  const type = u16(v4 ? 0x0800 : 0x86dd);
  const ours = Buffer.from("020000000001", "hex");
  return Buffer.concat([mac, ours, tag, type, ip, udp, Buffer.alloc(fields.padding ?? 0)]);
}
