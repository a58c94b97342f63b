/**
 * Hears what changes in the kernel: links of a network namespace, and either their qdiscs, classes and filters, or their
 * addresses with routes and neighbours (rtnetlink groups).
 */
import { check, ERRNO, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, eventfd, pollAsync, setsockopt, socket } from "../ffi.ts";
import type { Netns } from "../netns.ts";
import { receive } from "./chunk.ts";
import { RTM } from "./message.ts";
import type { OwnPorts } from "./ports.ts";
import { Messages } from "./reader.ts";
import { writeSync } from "node:fs";

const AF_UNSPEC = 0;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RTMGRP = { LINK: 1, NEIGH: 4, TC: 8, IPV4_IFADDR: 0x10, IPV4_ROUTE: 0x40, IPV6_IFADDR: 0x100, IPV6_ROUTE: 0x400 };
/** What is heard besides links. */
const HEARD = {
  tc: RTMGRP.TC,
  hosts: RTMGRP.NEIGH | RTMGRP.IPV4_IFADDR | RTMGRP.IPV4_ROUTE | RTMGRP.IPV6_IFADDR | RTMGRP.IPV6_ROUTE,
} as const;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const KERNEL_BUFFER = 8 * 2 ** 20;
const BUFFER = 256 * 1024;
const IFLA_IFNAME = 3;
const IFINFOMSG_LENGTH = 16;

/** Something that changed. */
export type Change =
  | { readonly kind: "link"; readonly ifindex: number; readonly name: string; readonly gone: boolean }
  /** A qdisc, class or filter on an interface. */
  | { readonly kind: "tc"; readonly ifindex: number }
  /** An address, a route or a neighbour: how hosts are reached. */
  | { readonly kind: "hosts" }
  /** Changes were lost because nobody read them in time: anything may have changed. */
  | { readonly kind: "overrun" };

function linkName(message: Messages): string {
  const a = message.attributes(IFINFOMSG_LENGTH);
  while (a.next()) if (a.type === IFLA_IFNAME) return a.string();
  return "";
}

const TC_TYPES: ReadonlySet<number> = new Set([
  RTM.NEWQDISC,
  RTM.DELQDISC,
  RTM.NEWTCLASS,
  RTM.DELTCLASS,
  RTM.NEWTFILTER,
  RTM.DELTFILTER,
]);

const HOST_TYPES: ReadonlySet<number> = new Set([
  RTM.NEWADDR,
  RTM.DELADDR,
  RTM.NEWROUTE,
  RTM.DELROUTE,
  RTM.NEWNEIGH,
  RTM.DELNEIGH,
]);

function decode(message: Messages): Change | undefined {
  if (HOST_TYPES.has(message.type)) return { kind: "hosts" };
  // Bridges tell of their ports by the same messages: a port that leaves one is no link that is gone.
  const isLink = message.type === RTM.NEWLINK || message.type === RTM.DELLINK;
  if (isLink && (message.u16(0) & 0xff) !== AF_UNSPEC) return undefined;
  if (isLink)
    return {
      kind: "link",
      ifindex: message.i32(4),
      name: linkName(message),
      gone: message.type === RTM.DELLINK,
    };
  // struct tcmsg: u8 family, 3 bytes, s32 ifindex.
  return TC_TYPES.has(message.type) ? { kind: "tc", ifindex: message.i32(4) } : undefined;
}

/** The changes of one namespace, from when it is opened. */
export class RtnlMonitor implements Disposable {
  readonly #owned: DisposableStack;
  readonly #fd: Fd;
  readonly #wake: Fd;
  readonly #own: OwnPorts | undefined;
  readonly #buffer = new Uint8Array(BUFFER);
  readonly #view = new DataView(this.#buffer.buffer);
  #closed = false;
  #waiting: Promise<unknown> | undefined;
  /** Messages so far that were left out because one of our own sockets caused them. */
  leftOut = 0;

  private constructor(owned: DisposableStack, fd: Fd, wake: Fd, own: OwnPorts | undefined) {
    this.#owned = owned;
    this.#fd = fd;
    this.#wake = wake;
    this.#own = own;
  }

  /**
   * Opens one in a namespace, this thread's own when left out.
   *
   * @param own what these sockets cause is left out, and counted
   * @param heard what besides links
   * @throws SystemError
   */
  static open(ns?: Netns, own?: OwnPorts, heard: keyof typeof HEARD = "tc"): RtnlMonitor {
    const make = (): number => check("socket AF_NETLINK", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
    using owned = new DisposableStack();
    const fd = owned.use(new Fd(ns ? ns.run(make) : make()));
    setsockopt(fd.number, SOL_SOCKET, SO_RCVBUFFORCE, Int32Array.of(KERNEL_BUFFER), 4);
    // struct sockaddr_nl: u16 family, u16, u32 port, u32 groups.
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(RTMGRP.LINK | HEARD[heard], 8);
    check("bind netlink groups", bind(fd.number, address, address.length));
    const wake = owned.use(new Fd(check("eventfd", eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))));
    return new RtnlMonitor(owned.move(), fd, wake, own);
  }

  /** Waits for changes and gives those that are there; none once it is closed. @throws SystemError */
  async next(): Promise<Change[]> {
    // struct pollfd: s32 fd, s16 events, s16 revents.
    const fds = Buffer.alloc(16);
    fds.writeInt32LE(this.#fd.number, 0);
    fds.writeInt16LE(POLLIN, 4);
    fds.writeInt32LE(this.#wake.number, 8);
    fds.writeInt16LE(POLLIN, 12);
    while (!this.#closed) {
      this.#waiting = pollAsync(fds, 2, -1);
      await this.#waiting;
      this.#waiting = undefined;
      if (this.#closed) break;
      const changes = this.#read();
      if (changes.length > 0) return changes;
    }
    return [];
  }

  #read(): Change[] {
    const changes: Change[] = [];
    for (;;) {
      const length = receive(this.#fd.number, this.#buffer, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) return changes;
      if (length === -ERRNO.ENOBUFS) {
        changes.push({ kind: "overrun" });
        continue;
      }
      if (length < 0) throw new SystemError("recv netlink", -length);
      const message = new Messages(this.#view, length);
      while (message.next()) {
        if (this.#own?.has(message.port)) {
          this.leftOut += 1;
          continue;
        }
        const change = decode(message);
        if (change) changes.push(change);
      }
    }
  }

  /** Ends a {@link next} that waits; the descriptors are closed when it has come back. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    writeSync(this.#wake.number, BigUint64Array.of(1n));
    const close = (): void => this.#owned.dispose();
    if (this.#waiting) void this.#waiting.then(close, close);
    else close();
  }
}
