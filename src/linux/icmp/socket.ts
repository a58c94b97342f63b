/** Raw ICMP sockets of either family, which send requests and receive answers with the kernel's time of arrival. */
import { check, ERRNO, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { addressOf, bind, errno, recvmsg, sendto, setsockopt, socket } from "../ffi.ts";
import type { Netns } from "../netns.ts";
import { realtime } from "../realtime.ts";
import { ICMP6_REPLIES, ICMP_REPLIES, identifierFilter } from "./filter.ts";
import { AF, decodeSockaddr, encodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";

const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_SOCKET = 1;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
const SO_TIMESTAMPNS = 35;
const SO_MARK = 36;
const MSG_TRUNC = 0x20;
/** struct msghdr of 64-bit machines, and what it points at. */
const MSGHDR_SIZE = 56;
const CONTROL_SIZE = 64;
/** Answers of ours have 80 bytes at most; what is longer is cut off, and refused for its length. */
const PACKET_SIZE = 256;
/** Most packets handed over at a time, so that a flood does not keep everything else waiting. */
const BATCH = 64;
/** An arrival longer ago than this is a clock that was set meanwhile, ms. */
const OLDEST = 10_000;

/** Where an ICMP socket lives. */
export interface IcmpOptions {
  readonly family: 4 | 6;
  /** Of the requests; answers to other sockets of this process are not received. */
  readonly id: number;
  /** This thread's when left out. The socket stays in it. */
  readonly netns?: Netns | undefined;
  /** Packets leave and arrive by this interface only. */
  readonly device?: string | undefined;
  /** Packets leave with this source address, and only those to it arrive. */
  readonly source?: string | undefined;
  /** For rules of policy routing. */
  readonly mark?: number | undefined;
}

/** A packet that came in. */
export interface Arrival {
  readonly from: string;
  /** With its header when it is IPv4; valid until the next one is read. */
  readonly packet: Buffer;
  /** How long ago it came, ms. */
  readonly age: number;
}

/** Nanoseconds since 1970. */
function nanosecondsNow(): bigint {
  const { seconds, nanoseconds } = realtime();
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function configure(fd: number, options: IcmpOptions): void {
  const { family, id, device, source, mark } = options;
  const set = (what: string, level: number, name: number, value: NodeJS.ArrayBufferView): void =>
    void check(what, setsockopt(fd, level, name, value, value.byteLength));
  if (family === 4) set("ICMP_FILTER", SOL_RAW, ICMP_FILTER, ICMP_REPLIES);
  else set("ICMPV6_FILTER", IPPROTO_ICMPV6, ICMP_FILTER, ICMP6_REPLIES);
  const program = identifierFilter(family, id);
  // struct sock_fprog: u16 number of instructions, pointer.
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(program.length / 8, 0);
  filter.writeBigUInt64LE(addressOf(program), 8);
  set("SO_ATTACH_FILTER", SOL_SOCKET, SO_ATTACH_FILTER, filter);
  set("SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, Int32Array.of(1));
  if (mark !== undefined) set(`SO_MARK ${mark}`, SOL_SOCKET, SO_MARK, Uint32Array.of(mark));
  if (device !== undefined) set(`SO_BINDTODEVICE ${device}`, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`));
  if (source !== undefined) {
    const address = encodeSockaddr(source);
    check(`bind ${source}`, bind(fd, address, address.length));
  }
}

/** One socket. Nothing in it waits. */
export class IcmpSocket implements Disposable {
  readonly family: 4 | 6;
  readonly #fd: Fd;
  readonly #packet = Buffer.alloc(PACKET_SIZE);
  readonly #from = Buffer.alloc(SOCKADDR_SIZE);
  readonly #control = Buffer.alloc(CONTROL_SIZE);
  readonly #vector = Buffer.alloc(16);
  readonly #header = Buffer.alloc(MSGHDR_SIZE);

  private constructor(family: 4 | 6, fd: Fd) {
    this.family = family;
    this.#fd = fd;
    this.#vector.writeBigUInt64LE(addressOf(this.#packet), 0);
    this.#vector.writeBigUInt64LE(BigInt(PACKET_SIZE), 8);
    // struct msghdr: name, u32 length of it, iov, number of iovs, control, length of it, s32 flags.
    this.#header.writeBigUInt64LE(addressOf(this.#from), 0);
    this.#header.writeBigUInt64LE(addressOf(this.#vector), 16);
    this.#header.writeBigUInt64LE(1n, 24);
    this.#header.writeBigUInt64LE(addressOf(this.#control), 32);
  }

  /** Opens one. @throws SystemError EPERM without CAP_NET_RAW, ENODEV without the interface, EADDRNOTAVAIL ... */
  static open(options: IcmpOptions): IcmpSocket {
    const { family, netns } = options;
    const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    const make = (): number =>
      check(
        `socket ICMP${family === 6 ? "v6" : ""}`,
        socket(AF[family], SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol),
      );
    using owned = new DisposableStack();
    const fd = owned.use(new Fd(netns ? netns.run(make) : make()));
    configure(fd.number, options);
    owned.move();
    return new IcmpSocket(family, fd);
  }

  /** The descriptor, to wait for. */
  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Sends a request.
   *
   * @param to of {@link encodeSockaddr}
   * @throws SystemError ENETUNREACH without a route, ENODEV when the interface is gone, ENOBUFS when the queue is full,
   *   EPERM when the firewall drops it ...
   */
  send(to: Buffer, packet: Buffer): void {
    check("sendto", sendto(this.fd, packet, packet.length, 0, to, to.length));
  }

  /** Hands over what has come in, the oldest first. @throws SystemError ENETDOWN when the interface went down */
  receive(take: (arrival: Arrival) => void): void {
    for (let i = 0; i < BATCH; i += 1) {
      this.#header.writeUInt32LE(SOCKADDR_SIZE, 8);
      this.#header.writeBigUInt64LE(BigInt(CONTROL_SIZE), 40);
      const length = recvmsg(this.fd, this.#header, MSG_TRUNC);
      if (length < 0) {
        const number = errno();
        if (number === ERRNO.EAGAIN) return;
        if (number === ERRNO.EINTR) continue;
        throw new SystemError("recvmsg ICMP", number);
      }
      const packet = this.#packet.subarray(0, Math.min(length, PACKET_SIZE));
      take({ from: decodeSockaddr(this.#from), packet, age: this.#age() });
    }
  }

  /** From the kernel's stamp in the control message: struct cmsghdr is u64 length, s32 level, s32 type. */
  #age(): number {
    const length = Number(this.#header.readBigUInt64LE(40));
    if (length < 32 || this.#control.readInt32LE(12) !== SO_TIMESTAMPNS) return 0;
    const came = this.#control.readBigInt64LE(16) * 1_000_000_000n + this.#control.readBigInt64LE(24);
    const age = Number(nanosecondsNow() - came) / 1e6;
    return age >= 0 && age < OLDEST ? age : 0;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
