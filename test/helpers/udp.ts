/** Sends UDP datagrams from inside a namespace, at once and without a process of its own. */
import { check } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, sendto, setsockopt, socket } from "../../src/linux/ffi.ts";
import type { Netns } from "../../src/linux/netns.ts";
import type { Prefix } from "../../src/core/prefix.ts";

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const DISCARD_PORT = 9;

/** struct sockaddr_in or sockaddr_in6. */
function sockaddr(host: Prefix, port: number): Buffer {
  if (host.family === 4) {
    const address = Buffer.alloc(16);
    address.writeUInt16LE(2, 0);
    address.writeUInt16BE(port, 2);
    address.writeUInt32BE(Number(host.address), 4);
    return address;
  }
  const address = Buffer.alloc(28);
  address.writeUInt16LE(10, 0);
  address.writeUInt16BE(port, 2);
  for (let i = 0; i < 16; i += 1) address[8 + i] = Number((host.address >> BigInt(8 * (15 - i))) & 0xffn);
  return address;
}

/** What {@link sendUdp} sends. */
export interface Datagrams {
  /** Source address. */
  readonly from?: Prefix;
  readonly count?: number;
  /** Bytes of payload. */
  readonly size?: number;
  /** Type of service of IPv4: the DSCP times 4. */
  readonly tos?: number;
}

/** Sends datagrams: one of 100 bytes unless told otherwise. */
export function sendUdp(ns: Netns, to: Prefix, options: Datagrams = {}): void {
  const { from, count = 1, size = 100, tos = 0 } = options;
  ns.run(() => {
    using fd = new Fd(check("socket", socket(to.family === 4 ? 2 : 10, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    if (from) {
      const local = sockaddr(from, 0);
      check(`bind ${from.key}`, bind(fd.number, local, local.length));
    }
    if (tos !== 0) check("IP_TOS", setsockopt(fd.number, 0, 1, Int32Array.of(tos), 4));
    const address = sockaddr(to, DISCARD_PORT);
    const payload = Buffer.alloc(size);
    for (let i = 0; i < count; i += 1) check("sendto", sendto(fd.number, payload, size, 0, address, address.length));
  });
}

/** A descriptor of a socket in a namespace, bound to an address and some port; the caller's to close. */
export function boundUdp(ns: Netns, host: Prefix): number {
  return ns.run(() => {
    using fd = new Fd(check("socket", socket(host.family === 4 ? 2 : 10, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    const address = sockaddr(host, 0);
    check(`bind ${host.key}`, bind(fd.number, address, address.length));
    return fd.release();
  });
}

/** Takes the datagrams that {@link sendUdp} sends to any address of a namespace, so that nobody answers them with ICMP. */
export class UdpSink implements Disposable {
  readonly #fds: readonly Fd[];

  constructor(ns: Netns) {
    this.#fds = (["0.0.0.0", "::"] as const).map((text) =>
      ns.run(() => {
        const family = text === "::" ? 6 : 4;
        const fd = new Fd(check("socket", socket(family === 4 ? 2 : 10, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
        if (family === 6) check("IPV6_V6ONLY", setsockopt(fd.number, 41, 26, Int32Array.of(1), 4));
        const any = sockaddr({ family, address: 0n, length: 0, key: "" }, DISCARD_PORT);
        check(`bind ${text}`, bind(fd.number, any, any.length));
        return fd;
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) fd[Symbol.dispose]();
  }
}
