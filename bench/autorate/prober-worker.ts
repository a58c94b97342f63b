/**
 * A thread that sends echoes at a steady pace and notes when each came back. It takes no part in the control, and nothing
 * else happens in its thread, so that its times are those of the line.
 */
import { parentPort, workerData } from "node:worker_threads";
import { check, ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { errno, recv, sendto, setsockopt, socket } from "../../src/linux/ffi.ts";
import { Netns } from "../../src/linux/netns.ts";
import { checksum } from "../../src/linux/packet/frame.ts";
import { monotonic } from "./clock.ts";

/** What the thread is told. */
export interface ProberTask {
  /** Path of the namespace it sends from. */
  readonly netns: string;
  readonly address: string;
  /** Monotonic, s. */
  readonly from: number;
  readonly count: number;
  /** Between two, s. */
  readonly interval: number;
  /** How long the last ones are waited for, s. */
  readonly patience: number;
}

/** What it saw: when each left (monotonic, s), and its round trip in ms, NaN when it did not come back. */
export interface Echoes {
  readonly at: Float64Array;
  readonly value: Float64Array;
}

const AF_INET = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_ICMP = 1;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const ECHO = 8;
const ECHO_REPLY = 0;
const IDENTIFIER = 0x51ce;
/** ICMP header and as much as ping sends, so that a probe is 98 bytes on the wire. */
const LENGTH = 64;

/** struct sockaddr_in without a port. */
function sockaddr(text: string): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  Buffer.from(text.split(".").map(Number)).copy(address, 4);
  return address;
}

function request(sequence: number): Buffer {
  const packet = Buffer.alloc(LENGTH);
  packet.writeUInt8(ECHO, 0);
  packet.writeUInt16BE(IDENTIFIER, 4);
  packet.writeUInt16BE(sequence, 6);
  packet.writeUInt16BE(checksum(packet), 2);
  return packet;
}

/** Receives until a time, or until as many as are missing have come back, and notes when. Gives how many did. */
function receiveUntil(fd: number, time: number, buffer: Buffer, { at, value }: Echoes, missing: number): number {
  let came = 0;
  for (let left = time - monotonic(); left > 0 && came < missing; left = time - monotonic()) {
    // struct timeval; none of both would wait for ever.
    const wait = BigInt64Array.of(BigInt(Math.floor(left)), BigInt(Math.max(1, Math.floor((left % 1) * 1e6))));
    check("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, wait, 16));
    const length = recv(fd, buffer, buffer.length, 0);
    const now = monotonic();
    if (length < 0) {
      const code = errno();
      if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) continue;
      throw new SystemError("recv", code);
    }
    const icmp = (buffer[0]! & 15) * 4;
    if (buffer[icmp] !== ECHO_REPLY || buffer.readUInt16BE(icmp + 4) !== IDENTIFIER) continue;
    const sequence = buffer.readUInt16BE(icmp + 6);
    if (!Number.isNaN(value[sequence])) continue;
    value[sequence] = (now - at[sequence]!) * 1000;
    came += 1;
  }
  return came;
}

function probe(task: ProberTask): Echoes {
  using ns = Netns.open(task.netns);
  using fd = new Fd(ns.run(() => check("socket", socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP))));
  const address = sockaddr(task.address);
  const buffer = Buffer.alloc(2048);
  const echoes = { at: new Float64Array(task.count), value: new Float64Array(task.count).fill(Number.NaN) };
  let missing = task.count;
  for (let sequence = 0; sequence < task.count; sequence += 1) {
    missing -= receiveUntil(fd.number, task.from + sequence * task.interval, buffer, echoes, missing);
    const packet = request(sequence);
    echoes.at[sequence] = monotonic();
    // A queue on the way that is full says ENOBUFS: the probe is lost, and that is what is to be known.
    const sent = sendto(fd.number, packet, packet.length, 0, address, address.length);
    if (sent < 0 && errno() !== ERRNO.ENOBUFS) throw new SystemError("sendto", errno());
  }
  receiveUntil(fd.number, task.from + task.count * task.interval + task.patience, buffer, echoes, missing);
  return echoes;
}

parentPort!.postMessage(probe(workerData as ProberTask));
