/** Frames made by hand: Ethernet with VLAN tags, PPPoE sessions, IPv4 and IPv6. Pure. */
import { addressBytes } from "../../core/prefix.ts";

/** Ethernet types. */
export const ETHERTYPE = {
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  PPPOE: 0x8864,
  QINQ: 0x88a8,
  QINQ_OLD: 0x9100,
} as const;

/** PPP protocol numbers. */
export const PPP = { IPV4: 0x0021, IPV6: 0x0057, LCP: 0xc021 } as const;

const UDP = 17;
/** Locally administered addresses, so that no frame is taken for one of a real card. */
const MACS = Buffer.from("020000000002" + "020000000001", "hex");

/** A VLAN tag. */
export interface VlanTag {
  /** 0..4095. */
  readonly id: number;
  /** Its Ethernet type. Default 802.1Q. */
  readonly type?: number;
}

/** A packet with the Ethernet type that announces it. */
export interface Payload {
  readonly type: number;
  readonly bytes: Buffer;
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
}

/** The Internet checksum (RFC 1071) of an even number of bytes. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** A UDP datagram to port 9 (discard) without checksum. */
const datagram = (size: number, port: number): Buffer => Buffer.concat([u16(port, 9, 8 + size, 0), Buffer.alloc(size)]);

/** What is in a packet besides its addresses. */
export interface PacketOptions {
  /** Bytes of UDP payload. Default 18, which fills the smallest Ethernet frame. */
  readonly size?: number;
  /** Source port, for other flows between the same hosts. Default 40000. */
  readonly port?: number;
}

/** An IPv4 packet with a UDP datagram. */
export function ipv4(source: string, destination: string, options: PacketOptions = {}): Payload {
  const content = datagram(options.size ?? 18, options.port ?? 40_000);
  const header = Buffer.concat([
    u16(0x4500, 20 + content.length, 0, 0x4000, (64 << 8) | UDP, 0),
    addressBytes(source),
    addressBytes(destination),
  ]);
  header.writeUInt16BE(checksum(header), 10);
  return { type: ETHERTYPE.IPV4, bytes: Buffer.concat([header, content]) };
}

/** An IPv6 packet with a UDP datagram. */
export function ipv6(source: string, destination: string, options: PacketOptions = {}): Payload {
  const content = datagram(options.size ?? 18, options.port ?? 40_000);
  const header = [u16(0x6000, 0, content.length, (UDP << 8) | 64), addressBytes(source), addressBytes(destination)];
  return { type: ETHERTYPE.IPV6, bytes: Buffer.concat([...header, content]) };
}

/** Puts an IP packet, or anything else under a PPP protocol number, into a PPPoE session. */
export function pppoe(inner: Payload, protocol?: number): Payload {
  const number = protocol ?? (inner.type === ETHERTYPE.IPV4 ? PPP.IPV4 : PPP.IPV6);
  const header = u16(0x1100, 1, inner.bytes.length + 2, number);
  return { type: ETHERTYPE.PPPOE, bytes: Buffer.concat([header, inner.bytes]) };
}

/** A frame, outermost tag first. */
export function ethernet(payload: Payload, tags: readonly VlanTag[] = []): Buffer {
  const shims = tags.map((tag) => u16(tag.type ?? ETHERTYPE.VLAN, tag.id));
  return Buffer.concat([MACS, ...shims, u16(payload.type), payload.bytes]);
}
