/** An rtnetlink socket: dumps, and batches of changes whose refusals are matched to their messages. */
import { check, ERRNO, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, getsockname, setsockopt, socket } from "../ffi.ts";
import type { Netns } from "../netns.ts";
import { CHUNK_BYTES, chunkEnd, receive, sendBytes, sendChunk } from "./chunk.ts";
import { readRefusal, refused, RtnlError } from "./error.ts";
import {
  countOf,
  type EncodedBatch,
  FLAG,
  HEADER_LENGTH,
  NLMSG_DONE,
  NLMSG_ERROR,
  FLAGS_OFFSET,
  SEQUENCE_OFFSET,
} from "./message.ts";
import { Messages } from "./reader.ts";

export { RtnlError } from "./error.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLM_F_DUMP_INTR = 0x10;

const RECEIVE_BUFFER = 2 ** 20;
const KERNEL_BUFFER = 8 * 2 ** 20;
const DUMP_TRIES = 5;
/** Refusals wait in the kernel's receive buffer at 832 bytes each: its default of 208 KiB holds those of 256 messages. */
const CHUNK_MESSAGES = 200;

const openSocket = (): number => socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

/** The error that a dump ends with; undefined when it is complete. */
function endOfDump(message: Messages, type: number): RtnlError | undefined {
  if (message.type === NLMSG_ERROR) {
    const refusal = readRefusal(message);
    return refusal && refused(refusal);
  }
  const errno = message.length >= 4 ? -message.i32(0) : 0;
  return errno > 0 ? new RtnlError(type, errno) : undefined;
}

/** An rtnetlink socket in one network namespace, for ever the one it was opened in. All calls are synchronous. */
export class RtnlSocket implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = new Uint8Array(RECEIVE_BUFFER);
  readonly #view = new DataView(this.#buffer.buffer);
  #sequence = 1;
  #lent = false;
  #port = 0;

  private constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** Opens a socket in a namespace, the thread's own when left out. @throws SystemError */
  static open(ns?: Netns): RtnlSocket {
    const fd = new Fd(check("socket AF_NETLINK", ns ? ns.run(openSocket) : openSocket()));
    const set = (level: number, name: number, value: number): number =>
      setsockopt(fd.number, level, name, Int32Array.of(value), 4);
    try {
      check("setsockopt NETLINK_CAP_ACK", set(SOL_NETLINK, NETLINK_CAP_ACK, 1));
      check("setsockopt NETLINK_EXT_ACK", set(SOL_NETLINK, NETLINK_EXT_ACK, 1));
      // FORCE needs CAP_NET_ADMIN in the initial user namespace; without it the buffer grows up to net.core.rmem_max.
      if (set(SOL_SOCKET, SO_RCVBUFFORCE, KERNEL_BUFFER) < 0) set(SOL_SOCKET, SO_RCVBUF, KERNEL_BUFFER);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
    return new RtnlSocket(fd);
  }

  /** The descriptor. */
  get fd(): number {
    return this.#fd.number;
  }

  /** What the kernel knows it by in its namespace: stands in all messages about what is done by it. @throws SystemError */
  get port(): number {
    if (this.#port === 0) {
      // struct sockaddr_nl: u16 family, u16, u32 port, u32 groups. Port 0 lets the kernel choose one.
      const address = Buffer.alloc(12);
      address.writeUInt16LE(AF_NETLINK, 0);
      check("bind netlink", bind(this.fd, address, address.length));
      check("getsockname netlink", getsockname(this.fd, address, Uint32Array.of(address.length)));
      this.#port = address.readUInt32LE(4);
    }
    return this.#port;
  }

  /**
   * Lends the descriptor to another thread until the loan is disposed. Meanwhile this object refuses to be used: it
   * would read the answers that the other thread waits for.
   *
   * @param count how many messages it will send; `sequence` is the first of as many numbers
   */
  lend(count: number): Disposable & { readonly fd: number; readonly sequence: number } {
    const sequence = this.#reserve(count);
    this.#lent = true;
    const back = (): void => {
      this.#lent = false;
    };
    return { fd: this.fd, sequence, [Symbol.dispose]: back };
  }

  /** Takes so many sequence numbers and returns the first. */
  #reserve(count: number): number {
    if (this.#lent) throw new TypeError("Cannot use an rtnetlink socket while a batch is being sent on it");
    // Wraps long before 2^32, which the kernel's u32 holds; 0 is what unasked messages carry.
    if (this.#sequence + count > 0xffff_0000) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  /**
   * Asks for a dump and decodes its messages as they come.
   *
   * @param type RTM_GET*
   * @param body what follows the header: the fixed part and attributes
   * @param decode reads the message the cursor is at; undefined leaves it out. It must copy what it keeps.
   * @throws RtnlError when the kernel refuses; SystemError EINTR when what is dumped changed under each of five tries
   */
  dump<T>(type: number, body: Uint8Array, decode: (message: Messages) => T | undefined): T[] {
    for (let tries = 0; tries < DUMP_TRIES; tries += 1) {
      const result = this.#dumpOnce(type, body, decode);
      if (result) return result;
    }
    throw new SystemError("rtnetlink dump", ERRNO.EINTR, `it changed during each of ${DUMP_TRIES} tries`);
  }

  /** One try of a dump; undefined when it is not consistent. */
  #dumpOnce<T>(type: number, body: Uint8Array, decode: (message: Messages) => T | undefined): T[] | undefined {
    const sequence = this.#reserve(1);
    const request = new Uint8Array(HEADER_LENGTH + body.length);
    const header = new DataView(request.buffer);
    header.setUint32(0, request.length, true);
    header.setUint16(4, type, true);
    header.setUint16(6, FLAG.REQUEST | FLAG.DUMP, true);
    header.setUint32(8, sequence, true);
    request.set(body, HEADER_LENGTH);
    sendBytes(this.fd, request);

    const items: T[] = [];
    let consistent = true;
    let failure: Error | undefined;
    // Whatever happens, the dump is read to its end: a socket with a dump under way refuses the next one (EBUSY).
    for (;;) {
      const length = receive(this.fd, this.#buffer, 0);
      if (length === -ERRNO.ENOBUFS) {
        consistent = false;
        continue;
      }
      if (length < 0) throw new SystemError("recv netlink", -length);
      const message = new Messages(this.#view, length);
      while (message.next()) {
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) consistent = false;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          failure ??= endOfDump(message, type);
          if (failure !== undefined) throw failure;
          return consistent ? items : undefined;
        }
        if (failure !== undefined) continue;
        try {
          const item = decode(message);
          if (item !== undefined) items.push(item);
        } catch (error) {
          failure = error as Error;
        }
      }
    }
  }

  /**
   * Sends a batch; every message is tried, also after one that was refused.
   *
   * @returns for each message the error, or undefined when the kernel carried it out
   * @throws SystemError ENOBUFS when refusals were lost: read back what the kernel holds before going on
   */
  send(batch: EncodedBatch): (RtnlError | undefined)[] {
    const count = countOf(batch);
    const sequence = this.#reserve(count);
    const outcomes = Array.from<RtnlError | undefined>({ length: count });
    for (let from = 0; from < count;) {
      const to = chunkEnd(batch, from, CHUNK_MESSAGES, CHUNK_BYTES);
      const { refusals, overrun } = sendChunk(this.fd, batch, from, to, sequence, this.#buffer);
      if (overrun) throw new SystemError("recv netlink", ERRNO.ENOBUFS, "refusals were lost (ENOBUFS)");
      for (const [index, refusal] of refusals) outcomes[index] = refused(refusal);
      from = to;
    }
    return outcomes;
  }

  /**
   * Asks for one thing (RTM_GET*, no dump) and decodes the answer; undefined when the kernel has none to give, as of a
   * qdisc that it does not show. Older kernels, 6.1 among them, tell everybody who listens too, as if it had changed.
   *
   * @param batch one message, which can be sent again afterwards
   * @throws RtnlError when it is refused: ENOENT, ENODEV
   */
  get<T>(batch: EncodedBatch, decode: (message: Messages) => T | undefined): T | undefined {
    const sequence = this.#reserve(1);
    const header = new DataView(batch.bytes.buffer, batch.bytes.byteOffset);
    header.setUint32(SEQUENCE_OFFSET, sequence, true);
    // Without the echo those kernels would tell everybody but the one who asked.
    header.setUint16(FLAGS_OFFSET, header.getUint16(FLAGS_OFFSET, true) | FLAG.ECHO | FLAG.ACK, true);
    sendBytes(this.fd, batch.bytes);
    let made: T | undefined;
    for (;;) {
      const length = receive(this.fd, this.#buffer, 0);
      if (length < 0) throw new SystemError("recv netlink", -length);
      const message = new Messages(this.#view, length);
      while (message.next()) {
        if (message.sequence !== sequence) continue;
        if (message.type !== NLMSG_ERROR) {
          made ??= decode(message);
          continue;
        }
        const refusal = readRefusal(message);
        if (refusal) throw refused(refusal);
        return made;
      }
    }
  }

  /**
   * Sends one message, asks for an echo and an acknowledgement, and decodes what the kernel made of it.
   *
   * @throws RtnlError when it is refused; TypeError when nothing came back
   */
  echo<T>(batch: EncodedBatch, decode: (message: Messages) => T | undefined): T {
    const made = this.get(batch, decode);
    if (made === undefined) throw new TypeError("The kernel did not echo what it made");
    return made;
  }

  /** Sends one message and throws when it is refused. @throws RtnlError */
  request(batch: EncodedBatch): void {
    for (const error of this.send(batch)) if (error) throw error;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
