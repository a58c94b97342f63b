/** UDP sockets for multicast in a namespace: one that sends, trains of packets too, and one that receives. */
import assert from "node:assert/strict";
import { addressBytes } from "../../src/core/prefix.ts";
import { check, ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, errno, recv, sendto, setsockopt, socket } from "../../src/linux/ffi.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { eventually } from "./eventually.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 32;
const IP_ADD_MEMBERSHIP = 35;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const MSG_DONTWAIT = 0x40;
const LARGEST = 65_536;

const open = (): Fd => new Fd(check("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));

/** struct sockaddr_in. */
function sockaddr(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressBytes(address), 4);
  return bytes;
}

/** Sends to groups by the interface that has an address. */
export class UdpSender implements Disposable {
  readonly #fd: Fd;

  constructor(ns: Netns, own: string) {
    this.#fd = ns.run(() => {
      const fd = open();
      const address = sockaddr(own, 0);
      check("bind", bind(fd.number, address, address.length));
      check("IP_MULTICAST_IF", setsockopt(fd.number, IPPROTO_IP, IP_MULTICAST_IF, addressBytes(own), 4));
      return fd;
    });
  }

  /** Sends a datagram; or a train of datagrams of this size, the last one with what is left. */
  send(payload: Uint8Array, to: string, port: number, segment = 0): void {
    check("UDP_SEGMENT", setsockopt(this.#fd.number, SOL_UDP, UDP_SEGMENT, Int32Array.of(segment), 4));
    const address = sockaddr(to, port);
    check("sendto", sendto(this.#fd.number, payload, payload.length, 0, address, address.length));
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** A member of a group by the interface that has an address. */
export class UdpReceiver implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = Buffer.alloc(LARGEST);

  constructor(
    ns: Netns,
    { group, own, port }: { readonly group: string; readonly own: string; readonly port: number },
  ) {
    this.#fd = ns.run(() => {
      const fd = open();
      const address = sockaddr(group, port);
      check("bind", bind(fd.number, address, address.length));
      // struct ip_mreq: group, address of the interface.
      const request = Buffer.concat([addressBytes(group), addressBytes(own)]);
      check("IP_ADD_MEMBERSHIP", setsockopt(fd.number, IPPROTO_IP, IP_ADD_MEMBERSHIP, request, request.length));
      return fd;
    });
  }

  /** Waits for so many datagrams. */
  async received(count: number): Promise<Buffer[]> {
    const seen: Buffer[] = [];
    return await eventually(() => {
      for (;;) {
        const length = recv(this.#fd.number, this.#buffer, LARGEST, MSG_DONTWAIT);
        if (length < 0) {
          if (errno() !== ERRNO.EAGAIN) throw new SystemError("recv", errno());
          break;
        }
        seen.push(Buffer.from(this.#buffer.subarray(0, length)));
      }
      assert.equal(seen.length, count);
      return seen;
    });
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
