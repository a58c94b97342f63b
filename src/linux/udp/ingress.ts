/** Sockets that datagrams to one address and port come in by, each with the time when it came. */
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, getsockopt, setsockopt, socket } from "../ffi.ts";
import { AF, familyOf, inetAddress } from "./sockaddr.ts";

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const SO_MEMINFO = 55;
/** Of the nine u32 of SO_MEMINFO: datagrams there was no room for. */
const MEMINFO_DROPS = 8;
/** What may wait to be read, bytes. */
const RECEIVE_BUFFER = 32 * 2 ** 20;

/** What a socket takes. */
export interface IngressPlace {
  readonly device: string;
  readonly ifindex: number;
  /** Group or address of the host, 4 or 16 bytes. A group must be joined, by whomever. */
  readonly group: Uint8Array;
  readonly port: number;
}

/** Opens one, in this thread's namespace. @throws SystemError EADDRNOTAVAIL, ENODEV, EPERM without CAP_NET_ADMIN ... */
export function openIngress({ device, ifindex, group, port }: IngressPlace): Fd {
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket UDP", socket(AF[familyOf(group)], SOCK_DGRAM | SOCK_CLOEXEC, 0))));
  const set = (what: string, name: number, value: NodeJS.ArrayBufferView): void =>
    void check(what, setsockopt(fd.number, SOL_SOCKET, name, value, value.byteLength));
  set("SO_REUSEADDR", SO_REUSEADDR, Int32Array.of(1));
  set(`SO_BINDTODEVICE ${device}`, SO_BINDTODEVICE, Buffer.from(`${device}\0`));
  set("SO_RCVBUFFORCE", SO_RCVBUFFORCE, Int32Array.of(RECEIVE_BUFFER));
  set("SO_TIMESTAMPNS", SO_TIMESTAMPNS, Int32Array.of(1));
  const address = inetAddress(group, port, ifindex);
  check(`bind on ${device}`, bind(fd.number, address, address.length));
  owned.move();
  return fd;
}

/** Datagrams that came to a socket and found no room, or a wrong checksum. @throws SystemError */
export function ingressDrops(fd: number): number {
  const numbers = new Uint32Array(9);
  check("SO_MEMINFO", getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, Uint32Array.of(numbers.byteLength)));
  return numbers[MEMINFO_DROPS]!;
}
