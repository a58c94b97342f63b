/** Raw sockets below the protocols (AF_PACKET): frames leave an interface as they are given. */
import { check, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, errno, ifNameToIndex, sendto, socket } from "../ffi.ts";
import type { Netns } from "../netns.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;

/** A socket that sends frames by one interface, through its filters and qdiscs like any other traffic. */
export class PacketSocket implements Disposable {
  readonly #fd: Fd;

  private constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** Opens one that sends only: protocol 0 receives nothing. @throws SystemError */
  static open(device: string, ns?: Netns): PacketSocket {
    const make = (): Fd => {
      const fd = new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)));
      try {
        // struct sockaddr_ll: u16 family, u16 protocol, s32 ifindex, 12 bytes for addresses.
        const address = Buffer.alloc(20);
        address.writeUInt16LE(AF_PACKET, 0);
        const ifindex = ifNameToIndex(device);
        if (ifindex === 0) throw new SystemError(`if_nametoindex ${device}`, errno());
        address.writeInt32LE(ifindex, 4);
        check(`bind ${device}`, bind(fd.number, address, address.length));
        return fd;
      } catch (error) {
        fd[Symbol.dispose]();
        throw error;
      }
    };
    return new PacketSocket(ns ? ns.run(make) : make());
  }

  /** The descriptor. */
  get fd(): number {
    return this.#fd.number;
  }

  /** Sends a frame. @throws SystemError ENOBUFS when the qdisc dropped it, ENETDOWN, ... */
  send(frame: Uint8Array): void {
    check("sendto", sendto(this.fd, frame, frame.length, 0, null, 0));
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
