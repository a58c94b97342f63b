/** Messages of Unix sockets that carry descriptors (SCM_RIGHTS), as sendmsg(2) and recvmsg(2) want them. */
import { Fd } from "./fd.ts";
import { addressOf } from "./ffi.ts";

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSGHDR_SIZE = 56;
const CMSGHDR_SIZE = 16;

/** Most descriptors that go with one message: the kernel's SCM_MAX_FD. */
export const MOST_DESCRIPTORS = 253;

/** A struct msghdr of 64-bit machines with one vector and room for descriptors; the memory that it points at. */
export class MessageHeader {
  readonly #control = Buffer.alloc(CMSGHDR_SIZE + Math.ceil((MOST_DESCRIPTORS * 4) / 8) * 8);
  readonly #vector = Buffer.alloc(16);
  readonly #bytes = Buffer.alloc(MSGHDR_SIZE);

  /** For a message that is sent. @param name the receiver's address where the socket is not connected; kept as it is until sent */
  outgoing(message: Buffer, fds: readonly number[], name?: Buffer): Buffer {
    return this.#aim(message, this.#attach(fds), name);
  }

  /** For a message that comes. */
  incoming(buffer: Buffer): Buffer {
    return this.#aim(buffer, this.#control.length);
  }

  /** The descriptors that came with the message that was received last: from now on the caller's. */
  take(): { readonly fds: readonly Fd[]; readonly complete: boolean } {
    const fds: Fd[] = [];
    if (Number(this.#bytes.readBigUInt64LE(40)) >= CMSGHDR_SIZE && this.#control.readInt32LE(12) === SCM_RIGHTS) {
      const end = Number(this.#control.readBigUInt64LE(0));
      for (let at = CMSGHDR_SIZE; at + 4 <= end; at += 4) fds.push(new Fd(this.#control.readInt32LE(at)));
    }
    // Those for which this process had no number left are lost.
    return { fds, complete: (this.#bytes.readInt32LE(48) & MSG_CTRUNC) === 0 };
  }

  #aim(message: Buffer, controlLength: number, name?: Buffer): Buffer {
    this.#vector.writeBigUInt64LE(addressOf(message), 0);
    this.#vector.writeBigUInt64LE(BigInt(message.length), 8);
    // name, u32 length of it, iov, number of iovs, control, length of it, s32 flags.
    this.#bytes.writeBigUInt64LE(name ? addressOf(name) : 0n, 0);
    this.#bytes.writeUInt32LE(name?.length ?? 0, 8);
    this.#bytes.writeBigUInt64LE(addressOf(this.#vector), 16);
    this.#bytes.writeBigUInt64LE(1n, 24);
    this.#bytes.writeBigUInt64LE(controlLength === 0 ? 0n : addressOf(this.#control), 32);
    this.#bytes.writeBigUInt64LE(BigInt(controlLength), 40);
    this.#bytes.writeInt32LE(0, 48);
    return this.#bytes;
  }

  /** Writes the control message, struct cmsghdr: u64 length, s32 level, s32 type. @returns the length of all of it */
  #attach(fds: readonly number[]): number {
    if (fds.length === 0) return 0;
    this.#control.writeBigUInt64LE(BigInt(CMSGHDR_SIZE + fds.length * 4), 0);
    this.#control.writeInt32LE(SOL_SOCKET, 8);
    this.#control.writeInt32LE(SCM_RIGHTS, 12);
    for (const [index, fd] of fds.entries()) this.#control.writeInt32LE(fd, CMSGHDR_SIZE + index * 4);
    return CMSGHDR_SIZE + Math.ceil((fds.length * 4) / 8) * 8;
  }
}
