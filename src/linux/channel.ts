/**
 * A channel between two processes that carries messages and open descriptors: two ends of a Unix socket that keeps the
 * borders of messages (SOCK_SEQPACKET). Messages are JSON. Nothing in it waits.
 */
import { check, ERRNO, SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { errno, recvmsg, sendmsg, socketpair } from "./ffi.ts";
import { MessageHeader, MOST_DESCRIPTORS } from "./rights.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Largest message, bytes of its JSON. */
export const LARGEST_MESSAGE = 65_536;

/** A message that came, with the descriptors that came with it: the receiver's to close. */
export interface Received {
  readonly message: unknown;
  readonly fds: readonly Fd[];
}

/** One end. */
export class Channel implements Disposable {
  readonly #fd: Fd;
  readonly #header = new MessageHeader();
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
    const header = this.#header.outgoing(bytes, fds);
    if (sendmsg(this.fd, header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    const number = errno();
    if (number === ERRNO.EPIPE || number === ERRNO.ECONNRESET) return false;
    if (number === ERRNO.EAGAIN || number === ERRNO.EINTR || number === ERRNO.ENOBUFS) return false;
    throw new SystemError("sendmsg", number);
  }

  /** The next message; undefined when there is none now, and for ever once {@link ended}. @throws SystemError, SyntaxError */
  receive(): Received | undefined {
    const buffer = (this.#buffer ??= Buffer.alloc(LARGEST_MESSAGE));
    for (;;) {
      const header = this.#header.incoming(buffer);
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
    const { fds, complete } = this.#header.take();
    try {
      if (!complete) throw new SystemError("recvmsg", ERRNO.EMFILE);
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
