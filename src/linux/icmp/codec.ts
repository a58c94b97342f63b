/**
 * ICMP as probes need it, values to bytes and back: timestamp (RFC 792, types 13 and 14), echo (types 8 and 0, and 128 and
 * 129 of RFC 4443). Pure.
 *
 * Both kinds are 20 bytes long, so they take the same time on a slow line. What a timestamp request says as its originate
 * stamp an echo request carries as data: the token, which whoever answers must give back.
 */
import { checksum } from "../packet/frame.ts";

/** What is asked for. */
export type ProbeKind = "timestamp" | "echo";

/** Milliseconds in a day: stamps count from midnight UTC. */
export const DAY = 86_400_000;

const TYPE = { ECHO_REPLY: 0, ECHO: 8, TIMESTAMP: 13, TIMESTAMP_REPLY: 14, ECHO6: 128, ECHO_REPLY6: 129 } as const;
const LENGTH = 20;

/** A request. */
export interface IcmpRequest {
  readonly family: 4 | 6;
  /** There are no timestamps in ICMPv6. */
  readonly kind: ProbeKind;
  /** 16 bits each. */
  readonly id: number;
  readonly sequence: number;
  /** 32 bits: the originate stamp, ms since midnight UTC, or any number for an echo. */
  readonly token: number;
}

/** An answer. */
export type IcmpReply =
  | { readonly kind: "echo"; readonly sequence: number; readonly token: number }
  | {
      readonly kind: "timestamp";
      readonly sequence: number;
      readonly token: number;
      /** As they stand in the packet, 32 bits each. */
      readonly receive: number;
      readonly transmit: number;
    };

/** Why a packet is no answer to anything of ours: what was wrong with it. */
export type Malformed = "length" | "type" | "code" | "checksum" | "id";

/** Why stamps cannot be used although the packet can. */
export type StampFault = "zero-stamp" | "nonstandard-time" | "stamp-range";

/** The bytes of a request. The checksum of ICMPv6 is left to the kernel, which knows the addresses it covers. */
export function encodeRequest({ family, kind, id, sequence, token }: IcmpRequest): Buffer {
  if (family === 6 && kind === "timestamp") throw new TypeError("Cannot ask for a timestamp in ICMPv6: it has none");
  const bytes = Buffer.alloc(LENGTH);
  bytes.writeUInt8(kind === "timestamp" ? TYPE.TIMESTAMP : family === 6 ? TYPE.ECHO6 : TYPE.ECHO, 0);
  bytes.writeUInt16BE(id, 4);
  bytes.writeUInt16BE(sequence, 6);
  bytes.writeUInt32BE(token, 8);
  if (family === 4) bytes.writeUInt16BE(checksum(bytes), 2);
  return bytes;
}

/** How strictly answers are read: `upstream` believes whatever has the right type, length and identifier. */
export type Strictness = "strict" | "upstream";

const kindOf = (family: 4 | 6, type: number): ProbeKind | undefined => {
  if (family === 6) return type === TYPE.ECHO_REPLY6 ? "echo" : undefined;
  return type === TYPE.TIMESTAMP_REPLY ? "timestamp" : type === TYPE.ECHO_REPLY ? "echo" : undefined;
};

/** The ICMP message in an IPv4 packet as a raw socket gives it; undefined when the lengths in it cannot be. */
function payload(packet: Buffer): Buffer | undefined {
  if (packet.length < 20 || packet[0]! >>> 4 !== 4) return undefined;
  const header = (packet[0]! & 0xf) * 4;
  const total = packet.readUInt16BE(2);
  return header < 20 || total < header || total > packet.length ? undefined : packet.subarray(header, total);
}

/**
 * Reads what a raw socket received: an IPv4 packet with its header, or an ICMPv6 message without (whose checksum the kernel
 * has seen to).
 *
 * @param id the identifier that ours carry
 */
export function decodeReply(
  family: 4 | 6,
  packet: Buffer,
  id: number,
  strictness: Strictness = "strict",
): IcmpReply | Malformed {
  const bytes = family === 4 ? payload(packet) : packet;
  if (!bytes || bytes.length < 8) return "length";
  const kind = kindOf(family, bytes[0]!);
  if (kind === undefined) return "type";
  // First whose it is: whatever else is wrong with an answer to another program is none of our business.
  if (bytes.readUInt16BE(4) !== id) return "id";
  if (bytes.length !== LENGTH) return "length";
  if (strictness === "strict") {
    if (bytes[1] !== 0) return "code";
    if (family === 4 && checksum(bytes) !== 0) return "checksum";
  }
  const common = { sequence: bytes.readUInt16BE(6), token: bytes.readUInt32BE(8) };
  if (kind === "echo") return { kind, ...common };
  return { kind, ...common, receive: bytes.readUInt32BE(12), transmit: bytes.readUInt32BE(16) };
}

/**
 * What is wrong with stamps in themselves. RFC 792 has the top bit set when the time is not in milliseconds since midnight
 * UTC; zeros are what those send that fill nothing in (and, once a day, those for whom it is midnight).
 */
export function stampFault(receive: number, transmit: number): StampFault | undefined {
  if (receive >= 2 ** 31 || transmit >= 2 ** 31) return "nonstandard-time";
  if (receive === 0 || transmit === 0) return "zero-stamp";
  return receive >= DAY || transmit >= DAY ? "stamp-range" : undefined;
}

/** The difference of two times of day, ms, the short way round: in (-12 h, 12 h], so midnight is no step. */
export function dayDifference(later: number, earlier: number): number {
  const rest = (((later - earlier) % DAY) + DAY) % DAY;
  return rest > DAY / 2 ? rest - DAY : rest;
}

/** Time of day of a wall clock's milliseconds, with their fraction. */
export const timeOfDay = (milliseconds: number): number => ((milliseconds % DAY) + DAY) % DAY;
