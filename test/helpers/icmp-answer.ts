/** What a reflector makes of a request: frames in, frames out. Pure. */
import { DAY, timeOfDay } from "../../src/linux/icmp/codec.ts";
import { checksum } from "../../src/linux/packet/frame.ts";

/** How a reflector behaves. */
export interface Behaviour {
  /** How long packets take to it and back from it, ms. */
  readonly up?: number;
  readonly down?: number;
  /** Up to so much is added to either, ms. */
  readonly jitter?: number;
  /** Between its receive and its transmit stamp, ms. */
  readonly hold?: number;
  /** Its clock is ahead of this machine's by so much, ms. */
  readonly offset?: number;
  /** Does not answer at all, or not to one kind. */
  readonly silent?: boolean | "timestamp" | "echo";
  /** Share of the requests that are not answered. */
  readonly loss?: number;
  /** Answers to each request. */
  readonly copies?: number;
  /** What it changes in an answer: another identifier, another originate stamp, a checksum that is wrong. */
  readonly garble?: "id" | "token" | "checksum";
  /** What it puts in its stamps instead of the time. `random` is a clock that jumps about within ten minutes. */
  readonly stamps?: "zero" | "top-bit" | "out-of-range" | "copied" | "random" | "backwards";
}

/** A request in a frame. */
export interface SeenRequest {
  /** In usual form for IPv4, as eight groups of four digits for IPv6. */
  readonly to: string;
  readonly kind: "timestamp" | "echo";
  readonly ip: number;
  readonly icmp: number;
  readonly end: number;
}

const v4 = (frame: Buffer, at: number): string => frame.subarray(at, at + 4).join(".");
const v6 = (frame: Buffer, at: number): string => frame.toString("hex", at, at + 16).replaceAll(/(....)(?=.)/g, "$1:");

/** Reads the request in an Ethernet frame; undefined when it holds none. */
export function readRequest(frame: Buffer): SeenRequest | undefined {
  if (frame.length < 42) return undefined;
  const type = frame.readUInt16BE(12);
  if (type === 0x0800 && frame[23] === 1) {
    const icmp = 14 + (frame[14]! & 0xf) * 4;
    const kind = frame[icmp] === 13 ? "timestamp" : frame[icmp] === 8 ? "echo" : undefined;
    return kind && { to: v4(frame, 30), kind, ip: 14, icmp, end: 14 + frame.readUInt16BE(16) };
  }
  if (type === 0x86dd && frame[20] === 58 && frame[54] === 128)
    return { to: v6(frame, 38), kind: "echo", ip: 14, icmp: 54, end: 54 + frame.readUInt16BE(18) };
  return undefined;
}

function swap(frame: Buffer, a: number, b: number, length: number): void {
  const kept = Buffer.from(frame.subarray(a, a + length));
  frame.copy(frame, a, b, b + length);
  kept.copy(frame, b);
}

function stampsOf(behaviour: Behaviour, time: number, token: number, random: () => number): [number, number] {
  const at = (moment: number): number => Math.floor(timeOfDay(moment));
  const receive = time + (behaviour.offset ?? 0);
  const transmit = receive + (behaviour.hold ?? 0);
  const jumped = random() * 600_000;
  switch (behaviour.stamps) {
    case "zero":
      return [0, 0];
    case "top-bit":
      return [2 ** 31 + at(receive), 2 ** 31 + at(transmit)];
    case "out-of-range":
      return [DAY + 5, DAY + 5];
    case "copied":
      return [token, token];
    case "random":
      return [at(receive + jumped), at(receive + jumped)];
    case "backwards":
      return [at(receive), at(receive - 5000)];
    default:
      return [at(receive), at(transmit)];
  }
}

/**
 * The answer to a request.
 *
 * @param time of its receive stamp, ms since the epoch, by this machine's clock
 */
export function answer(
  request: Buffer,
  seen: SeenRequest,
  behaviour: Behaviour,
  time: number,
  random: () => number,
): Buffer {
  const frame = Buffer.from(request);
  const { ip, icmp, end, kind } = seen;
  const six = frame[ip]! >>> 4 === 6;
  swap(frame, 0, 6, 6);
  if (six) swap(frame, ip + 8, ip + 24, 16);
  else swap(frame, ip + 12, ip + 16, 4);
  frame[icmp] = six ? 129 : kind === "timestamp" ? 14 : 0;
  if (kind === "timestamp") {
    const [receive, transmit] = stampsOf(behaviour, time, frame.readUInt32BE(icmp + 8), random);
    frame.writeUInt32BE(receive, icmp + 12);
    frame.writeUInt32BE(transmit, icmp + 16);
  }
  if (behaviour.garble === "id") frame.writeUInt16BE(frame.readUInt16BE(icmp + 4) ^ 0x8000, icmp + 4);
  if (behaviour.garble === "token") frame.writeUInt32BE((frame.readUInt32BE(icmp + 8) ^ 1) >>> 0, icmp + 8);
  frame.writeUInt16BE(0, icmp + 2);
  const message = frame.subarray(icmp, end);
  // The pseudo-header of ICMPv6: addresses, length, next header.
  const before = six
    ? Buffer.concat([frame.subarray(ip + 8, ip + 40), Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58])])
    : Buffer.alloc(0);
  const whole = Buffer.concat([before, message, Buffer.alloc(message.length % 2)]);
  frame.writeUInt16BE(checksum(whole) ^ (behaviour.garble === "checksum" ? 1 : 0), icmp + 2);
  return frame;
}
