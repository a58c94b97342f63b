/** What an interface takes in, frame by frame. */
import { check, ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, errno, ifNameToIndex, recv, setsockopt, socket } from "../../src/linux/ffi.ts";
import type { Netns } from "../../src/linux/netns.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const MSG_DONTWAIT = 0x40;
const LARGEST = 65_600;

/** All protocols, before TC looks at a packet; or one, behind TC. */
export const PROTOCOL = { ALL: 3, IPV4: 0x0800, IPV6: 0x86dd } as const;

/** A packet socket that receives. */
export class Capture implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = Buffer.alloc(LARGEST);

  /** @param protocol one of {@link PROTOCOL} */
  constructor(device: string, ns: Netns, protocol: number = PROTOCOL.ALL) {
    this.#fd = ns.run(() => {
      const fd = new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)));
      try {
        check("SO_RCVBUFFORCE", setsockopt(fd.number, SOL_SOCKET, SO_RCVBUFFORCE, Int32Array.of(64 << 20), 4));
        check("IGNORE_OUTGOING", setsockopt(fd.number, SOL_PACKET, PACKET_IGNORE_OUTGOING, Int32Array.of(1), 4));
        // struct sockaddr_ll: u16 family, u16 protocol in network order, s32 ifindex, 12 bytes for addresses.
        const address = Buffer.alloc(20);
        address.writeUInt16LE(AF_PACKET, 0);
        address.writeUInt16BE(protocol, 2);
        address.writeInt32LE(ifNameToIndex(device), 4);
        check(`bind ${device}`, bind(fd.number, address, address.length));
        return fd;
      } catch (error) {
        fd[Symbol.dispose]();
        throw error;
      }
    });
  }

  /** The frames that came since it was asked last. */
  take(): Buffer[] {
    const frames: Buffer[] = [];
    for (;;) {
      const length = recv(this.#fd.number, this.#buffer, LARGEST, MSG_DONTWAIT);
      if (length >= 0) frames.push(Buffer.from(this.#buffer.subarray(0, length)));
      else if (errno() === ERRNO.EAGAIN) return frames;
      else throw new SystemError("recv", errno());
    }
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
