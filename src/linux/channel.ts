/**
 * A channel between two processes that carries messages and open descriptors: two ends of a Unix socket that keeps the
 * borders of messages (SOCK_SEQPACKET). Messages are JSON. Nothing in it waits.
 */
import { check, ERRNO, SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { addressOf, errno, recvmsg, sendmsg, socketpair } from "./ffi.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSGHDR_SIZE = 56;
const CMSGHDR_SIZE = 16;

/** Largest message, bytes of its JSON. */
export const LARGEST_MESSAGE = 65_536;
/** Most descriptors that go with one message: the kernel's SCM_MAX_FD. */
export const MOST_DESCRIPTORS = 253;

/** A message that came, with the descriptors that came with it: the receiver's to close. */
export interface Received {
  readonly message: unknown;
  readonly fds: readonly Fd[];
}

/** A struct msghdr of 64-bit machines with one vector and room for descriptors; the memory that it points at. */
class Header {
  readonly control = Buffer.alloc(CMSGHDR_SIZE + Math.ceil((MOST_DESCRIPTORS * 4) / 8) * 8);
  readonly #vector = Buffer.alloc(16);
  readonly bytes = Buffer.alloc(MSGHDR_SIZE);

  /** Points it at a message. */
  aim(message: Buffer, controlLength: number): Buffer {
    this.#vector.writeBigUInt64LE(addressOf(message), 0);
    this.#vector.writeBigUInt64LE(BigInt(message.length), 8);
    // name, u32 length of it, iov, number of iovs, control, length of it, s32 flags.
    this.bytes.writeBigUInt64LE(addressOf(this.#vector), 16);
    this.bytes.writeBigUInt64LE(1n, 24);
    this.bytes.writeBigUInt64LE(controlLength === 0 ? 0n : addressOf(this.control), 32);
    this.bytes.writeBigUInt64LE(BigInt(controlLength), 40);
    this.bytes.writeInt32LE(0, 48);
    return this.bytes;
  }
}

/** One end. */
export class Channel implements Disposable {
  readonly #fd: Fd;
  readonly #header = new Header();
  #buffer: Buffer | undefined;
  #ended = false;

  /** @param fd an end's descriptor, from now on this object's */
  constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** Two ends that are joined. @throws SystemError */
  static pair(): [Channel, Channel] {
    const fds = new Int32Array(2);
    check("socketpair", socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
    return [new Channel(new Fd(fds[0]!)), new Channel(new Fd(fds[1]!))];
  }

  /** The descriptor, to wait for or to hand on. */
  get fd(): number {
    return this.#fd.number;
  }

  /** Whether the other end is known to be closed, and all that it said has been read. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Sends a message; the descriptors stay the caller's.
   *
   * @returns whether it is on its way: false when the other end has not read enough for it to have room, or has ended
   * @throws RangeError for more than {@link LARGEST_MESSAGE} or {@link MOST_DESCRIPTORS}, SystemError
   */
  send(message: object, fds: readonly number[] = []): boolean {
    const bytes = Buffer.from(JSON.stringify(message));
    if (bytes.length > LARGEST_MESSAGE)
      throw new RangeError(`Cannot send a message of ${bytes.length} bytes, wanted ${LARGEST_MESSAGE} at most`);
    if (fds.length > MOST_DESCRIPTORS)
      throw new RangeError(`Cannot send ${fds.length} descriptors at once, wanted ${MOST_DESCRIPTORS} at most`);
    const header = this.#header.aim(bytes, this.#attach(fds));
    if (sendmsg(this.fd, header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    const number = errno();
    if (number === ERRNO.EPIPE || number === ERRNO.ECONNRESET) return false;
    if (number === ERRNO.EAGAIN || number === ERRNO.EINTR || number === ERRNO.ENOBUFS) return false;
    throw new SystemError("sendmsg", number);
  }

  /** Writes the control message, struct cmsghdr: u64 length, s32 level, s32 type. @returns the length of all of it */
  #attach(fds: readonly number[]): number {
    if (fds.length === 0) return 0;
    const { control } = this.#header;
    control.writeBigUInt64LE(BigInt(CMSGHDR_SIZE + fds.length * 4), 0);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, CMSGHDR_SIZE + index * 4);
    return CMSGHDR_SIZE + Math.ceil((fds.length * 4) / 8) * 8;
  }

  /** The next message; undefined when there is none now, and for ever once {@link ended}. @throws SystemError, SyntaxError */
  receive(): Received | undefined {
    const buffer = (this.#buffer ??= Buffer.alloc(LARGEST_MESSAGE));
    for (;;) {
      const header = this.#header.aim(buffer, this.#header.control.length);
      const length = recvmsg(this.fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (length > 0) return this.#received(buffer.toString("utf8", 0, length));
      const number = length === 0 ? ERRNO.ECONNRESET : errno();
      if (number === ERRNO.EINTR) continue;
      if (number === ERRNO.ECONNRESET) this.#ended = true;
      else if (number !== ERRNO.EAGAIN) throw new SystemError("recvmsg", number);
      return undefined;
    }
  }

  #received(text: string): Received {
    const { bytes, control } = this.#header;
    const fds: Fd[] = [];
    if (Number(bytes.readBigUInt64LE(40)) >= CMSGHDR_SIZE && control.readInt32LE(12) === SCM_RIGHTS) {
      const end = Number(control.readBigUInt64LE(0));
      for (let at = CMSGHDR_SIZE; at + 4 <= end; at += 4) fds.push(new Fd(control.readInt32LE(at)));
    }
    try {
      // Those for which this process had no number left are lost.
      if ((bytes.readInt32LE(48) & MSG_CTRUNC) !== 0) throw new SystemError("recvmsg", ERRNO.EMFILE);
      return { message: JSON.parse(text) as unknown, fds };
    } catch (error) {
      for (const fd of fds) fd[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
