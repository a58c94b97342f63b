/** UDP in IPv4 and IPv6 in Ethernet: made with every field as wanted, and read back with checksums verified. Pure. */
import { addressBytes, addressText } from "../../src/core/prefix.ts";
import { checksum } from "../../src/linux/packet/frame.ts";
import { groupMac, isGroup } from "../../src/relay/resolve.ts";

const UDP = 17;
const NO_TAG = Buffer.alloc(0);

/** A frame's fields, those that have a usual value left out. */
export interface UdpFrame {
  readonly from: string;
  readonly to: string;
  readonly payload: Uint8Array;
  /** Default 5000. */
  readonly port?: number;
  /** Default 40000. */
  readonly sourcePort?: number;
  /** Default 64. */
  readonly ttl?: number;
  /** Type of service, or traffic class. Default 0. */
  readonly tos?: number;
  /** Default: that of the group; of a host 02:00:00:00:00:01. */
  readonly mac?: Uint8Array;
  /** VLAN ids, outermost first. */
  readonly tags?: readonly number[];
  /** 0 for none, which only IPv4 allows; the right one when left out. */
  readonly checksum?: 0;
}

const u16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
};

const even = (bytes: Buffer): Buffer => (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]));

function udpChecksum(from: Uint8Array, to: Uint8Array, datagram: Buffer): number {
  const pseudo = Buffer.concat([from, to, u16(0, UDP), u16(0, datagram.length), even(datagram)]);
  return checksum(pseudo);
}

/** Makes the frame; it is as long as its content, and no longer. */
export function udpFrame(fields: UdpFrame): Buffer {
  const { from, to, payload, port = 5000, sourcePort = 40_000, ttl = 64, tos = 0, tags = [] } = fields;
  const [source, destination] = [addressBytes(from), addressBytes(to)];
  const datagram = Buffer.concat([u16(sourcePort, port, 8 + payload.length, 0), payload]);
  if (fields.checksum !== 0) datagram.writeUInt16BE(udpChecksum(source, destination, datagram) || 0xffff, 6);
  const v4 = source.length === 4;
  const header = v4
    ? Buffer.concat([u16(0x4500 | tos, 20 + datagram.length, 77, 0x4000, (ttl << 8) | UDP, 0), source, destination])
    : Buffer.concat([u16(0x6000 | (tos << 4), 0x1234, datagram.length, (UDP << 8) | ttl), source, destination]);
  if (v4) header.writeUInt16BE(checksum(header), 10);
  const link = Buffer.concat([
    fields.mac ?? (isGroup(destination) ? groupMac(destination) : Buffer.from("020000000001", "hex")),
    Buffer.from("020000000002", "hex"),
    ...(tags.length > 0 ? tags.map((id) => u16(0x8100, id)) : [NO_TAG]),
    u16(v4 ? 0x0800 : 0x86dd),
  ]);
  return Buffer.concat([link, header, datagram]);
}

/** What a frame turned out to be. */
export interface SeenUdp {
  readonly mac: string;
  readonly ownMac: string;
  readonly from: string;
  readonly to: string;
  readonly sourcePort: number;
  readonly port: number;
  readonly ttl: number;
  readonly tos: number;
  readonly payload: Buffer;
  /** `none`: there is no checksum. */
  readonly sum: "right" | "wrong" | "none";
  /** Of the IP header; true for IPv6, which has none. */
  readonly headerSum: boolean;
}

/** Reads an untagged frame; undefined when it is no UDP. */
export function readUdp(frame: Buffer): SeenUdp | undefined {
  // Too short for any of it.
  if (frame.length < 42) return undefined;
  const type = frame.readUInt16BE(12);
  const v4 = type === 0x0800;
  if (!v4 && type !== 0x86dd) return undefined;
  const ip = frame.subarray(14);
  if (ip[v4 ? 9 : 6] !== UDP) return undefined;
  const header = v4 ? 20 : 40;
  const [source, destination] = v4
    ? [ip.subarray(12, 16), ip.subarray(16, 20)]
    : [ip.subarray(8, 24), ip.subarray(24, 40)];
  const datagram = ip.subarray(header, header + ip.readUInt16BE(header + 4));
  const right = udpChecksum(source, destination, datagram) === 0;
  return {
    mac: frame.toString("hex", 0, 6),
    ownMac: frame.toString("hex", 6, 12),
    from: addressText(source),
    to: addressText(destination),
    sourcePort: datagram.readUInt16BE(0),
    port: datagram.readUInt16BE(2),
    ttl: ip[v4 ? 8 : 7]!,
    tos: v4 ? ip[1]! : (ip.readUInt16BE(0) >>> 4) & 0xff,
    payload: Buffer.from(datagram.subarray(8)),
    sum: datagram.readUInt16BE(6) === 0 ? "none" : right ? "right" : "wrong",
    headerSum: !v4 || checksum(ip.subarray(0, 20)) === 0,
  };
}
