/**
 * Reads frames: Ethernet or nothing, one VLAN tag, IPv4 or IPv6, UDP. Nothing outside the frame is read, whatever is in it, and nothing
 * is allocated. The header checksum of IPv4 is verified, as every router does; that of UDP is not: it is made anew, or
 * completed by the card, when the packet is sent, so an error in the payload goes on to who reads it, as with a bridge.
 */
import { REASONS, type Reason } from "../model.ts";
import type { Packet } from "./packet.ts";

const reason = (name: Reason): number => REASONS.indexOf(name);
const NOT_IP = reason("notIp");
const NOT_UDP = reason("notUdp");
const BAD_HEADER = reason("badHeader");
const BAD_CHECKSUM = reason("badChecksum");
const TRUNCATED = reason("truncated");
const BAD_LENGTH = reason("badLength");
const FRAGMENT = reason("fragment");

const ETHERNET = 14;
const ETH_IP = 0x0800;
const ETH_IPV6 = 0x86dd;
const ETH_VLAN = 0x8100;
const ETH_QINQ = 0x88a8;
const UDP = 17;
const UDP_HEADER = 8;
const IPV6_HEADER = 40;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT_HEADER = 44;
const DESTINATION_OPTIONS = 60;
/** Datagrams of an aggregate: as many as a sender can hand to the kernel at once (UDP_MAX_SEGMENTS). */
const MOST_SEGMENTS = 128;
/** More than RFC 8200, 4.1, has use for. */
const MOST_EXTENSIONS = 8;

/** A frame in memory. */
export interface Frame {
  readonly view: DataView;
  /** Where it begins. */
  readonly at: number;
  /** Bytes of it that are there. */
  readonly captured: number;
  /** Bytes that it had on the wire. */
  readonly length: number;
  /** Of a tag that is no longer in the frame; 0: none. */
  readonly vlan: number;
  /** Whether it begins with the IP header, rather than with Ethernet's. */
  readonly bare: boolean;
  /** Bytes of each payload in an aggregate; 0: it is none. */
  readonly segment: number;
}

/** Reads a frame into a packet. @returns whether it is a UDP datagram; if not, the packet's `reason` says why */
export function parse(frame: Frame, packet: Packet): boolean {
  packet.reason = frame.bare ? bare(frame, packet) : ethernet(frame, packet);
  return packet.reason < 0;
}

function ethernet(frame: Frame, packet: Packet): number {
  const { view, at, captured } = frame;
  if (captured < ETHERNET) return TRUNCATED;
  let type = view.getUint16(at + 12);
  let ip = ETHERNET;
  packet.vlan = frame.vlan;
  if (type === ETH_VLAN || type === ETH_QINQ) {
    // A tag within a tag is no VLAN that a rule can name.
    if (packet.vlan !== 0) return NOT_IP;
    ip += 4;
    if (captured < ip) return TRUNCATED;
    packet.vlan = view.getUint16(at + 14) & 0xfff;
    type = view.getUint16(at + 16);
  }
  packet.ipAt = at + ip;
  if (type === ETH_IP) return ipv4(frame, at + ip, captured - ip, packet);
  return type === ETH_IPV6 ? ipv6(frame, at + ip, captured - ip, packet) : NOT_IP;
}

function bare(frame: Frame, packet: Packet): number {
  const { view, at, captured } = frame;
  if (captured < 1) return TRUNCATED;
  packet.vlan = 0;
  packet.ipAt = at;
  const version = view.getUint8(at) >>> 4;
  if (version === 4) return ipv4(frame, at, captured, packet);
  return version === 6 ? ipv6(frame, at, captured, packet) : NOT_IP;
}

/** @param left bytes from `ip` on that are there */
function ipv4(frame: Frame, ip: number, left: number, packet: Packet): number {
  const { view } = frame;
  if (left < 20) return TRUNCATED;
  const first = view.getUint32(ip);
  const header = (first >>> 22) & 0x3c;
  if (first >>> 28 !== 4 || header < 20) return BAD_HEADER;
  if (left < header) return TRUNCATED;
  let sum = 0;
  for (let i = 0; i < header; i += 4) {
    const word = view.getUint32(ip + i);
    sum += (word >>> 16) + (word & 0xffff);
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  if ((sum & 0xffff) + (sum >>> 16) !== 0xffff) return BAD_CHECKSUM;
  const total = first & 0xffff;
  if (total < header) return BAD_LENGTH;
  if (view.getUint8(ip + 9) !== UDP) return NOT_UDP;
  // More fragments, or not the first one.
  if ((view.getUint16(ip + 6) & 0x3fff) !== 0) return FRAGMENT;
  packet.family = 4;
  packet.tos = (first >>> 16) & 0xff;
  packet.source[0] = view.getInt32(ip + 12);
  packet.destination[0] = view.getInt32(ip + 16);
  return udp(frame, ip + header, left - header, total - header, packet);
}

function ipv6(frame: Frame, ip: number, left: number, packet: Packet): number {
  const { view } = frame;
  if (left < IPV6_HEADER) return TRUNCATED;
  const first = view.getUint32(ip);
  if (first >>> 28 !== 6) return BAD_HEADER;
  let next = view.getUint8(ip + 6);
  let content = view.getUint16(ip + 4);
  let room = left - IPV6_HEADER;
  let at = ip + IPV6_HEADER;
  for (let i = 0; next !== UDP; i += 1) {
    if (next === FRAGMENT_HEADER) return FRAGMENT;
    if (next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION_OPTIONS) return NOT_UDP;
    if (i === MOST_EXTENSIONS) return BAD_HEADER;
    if (content < 8) return BAD_LENGTH;
    if (room < 8) return TRUNCATED;
    const length = 8 + 8 * view.getUint8(at + 1);
    if (content < length) return BAD_LENGTH;
    if (room < length) return TRUNCATED;
    next = view.getUint8(at);
    at += length;
    content -= length;
    room -= length;
  }
  packet.family = 6;
  packet.tos = (first >>> 20) & 0xff;
  for (let i = 0; i < 4; i += 1) {
    packet.source[i] = view.getInt32(ip + 8 + 4 * i);
    packet.destination[i] = view.getInt32(ip + 24 + 4 * i);
  }
  return udp(frame, at, room, content, packet);
}

/** @param left bytes from `at` on that are there. @param content bytes that IP says there are */
function udp(frame: Frame, at: number, left: number, content: number, packet: Packet): number {
  const { view, segment } = frame;
  if (content < UDP_HEADER) return BAD_LENGTH;
  if (left < UDP_HEADER) return TRUNCATED;
  const length = view.getUint16(at + 4);
  if (length < UDP_HEADER || length > content) return BAD_LENGTH;
  if (left < length) return TRUNCATED;
  const payload = length - UDP_HEADER;
  const many = segment > 0 && payload > segment;
  if (many && payload > segment * MOST_SEGMENTS) return BAD_LENGTH;
  packet.udpAt = at;
  packet.port = view.getUint16(at + 2);
  packet.payload = payload;
  packet.segment = many ? segment : payload;
  packet.segments = many ? Math.ceil(payload / segment) : 1;
  return -1;
}
