/**
 * Datagrams of other memory, gathered for sendmmsg(2). Everything that the kernel reads lies in one arena, filled by
 * numbers, and is used again for the next batch.
 *
 * io_uring was measured and left out: sending by it costs the kernel the same, and this process more.
 */
import { errno, sendmmsg } from "../ffi.ts";
import { Arena } from "../packet/arena.ts";

/** Most messages of a batch: no call sends more (UIO_MAXIOV). */
const MOST_MESSAGES = 1024;
/** Most pieces of memory of all messages of a batch together. */
const MOST_VECTORS = 4096;
/** Most datagrams that the kernel cuts one message into (UDP_MAX_SEGMENTS; twice as many since Linux 6.9). */
export const MOST_SEGMENTS = 64;

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IPPROTO_IPV6 = 41;
const IPV6_TCLASS = 67;
/** struct mmsghdr of 64-bit machines. */
const HEADER = 64;
const VECTOR = 16;
/** Two control messages: UDP_SEGMENT with a u16, then the type of service with an s32. */
const CONTROL = 48;
const HALF = 24;
const NAME = 32;
const HEADERS_AT = 0;
const VECTORS_AT = HEADERS_AT + MOST_MESSAGES * HEADER;
const CONTROLS_AT = VECTORS_AT + MOST_VECTORS * VECTOR;
const NAMES_AT = CONTROLS_AT + MOST_MESSAGES * CONTROL;
const SIZE = Math.ceil((NAMES_AT + MOST_MESSAGES * NAME) / 4096) * 4096;
const FOUR_GIB = 2 ** 32;

/** A batch of messages. {@link open} each, give it its {@link add pieces}, and {@link send} them. */
export class Messages implements Disposable {
  readonly #arena = Arena.own(SIZE);
  readonly #u8 = new Uint8Array(this.#arena.buffer);
  readonly #u16 = new Uint16Array(this.#arena.buffer);
  readonly #u32 = new Uint32Array(this.#arena.buffer);
  /** Datagrams of each message: 1 when it is not cut. */
  readonly segments = new Uint32Array(MOST_MESSAGES);
  /** Bytes that are counted of each message. */
  readonly bytes = new Uint32Array(MOST_MESSAGES);
  /** Whatever the user of a message wants to know of it again. */
  readonly tags = new Uint32Array(MOST_MESSAGES);
  #count = 0;
  #vectors = 0;

  constructor() {
    for (let index = 0; index < MOST_MESSAGES; index += 1) {
      const control = (CONTROLS_AT + index * CONTROL) >>> 2;
      // struct cmsghdr: u64 length, s32 level, s32 type.
      this.#u32.set([18, 0, SOL_UDP, UDP_SEGMENT], control);
      this.#u32.set([20, 0, IPPROTO_IP, IP_TOS], control + HALF / 4);
    }
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Whether there is room for so many messages more, and for so many pieces of them in all. */
  fits(messages: number, vectors: number): boolean {
    return this.#count + messages <= MOST_MESSAGES && this.#vectors + vectors <= MOST_VECTORS;
  }

  /** Begins anew. */
  clear(): void {
    this.#count = 0;
    this.#vectors = 0;
  }

  /** Begins a message. */
  open(tag: number): void {
    const index = this.#count;
    this.#count += 1;
    this.segments[index] = 0;
    this.bytes[index] = 0;
    this.tags[index] = tag;
    const header = (HEADERS_AT + index * HEADER) >>> 2;
    this.#u32[header + 2] = 0;
    this.#pointer(header + 4, this.#arena.address + VECTORS_AT + this.#vectors * VECTOR);
    this.#u32[header + 6] = 0;
    this.#u32[header + 10] = 0;
  }

  /**
   * Adds memory to the message that was begun last.
   *
   * @param segments how many datagrams it is
   * @param counted bytes of it that are counted
   */
  add(address: number, length: number, segments: number, counted: number): void {
    const index = this.#count - 1;
    const vector = (VECTORS_AT + this.#vectors * VECTOR) >>> 2;
    this.#vectors += 1;
    this.#pointer(vector, address);
    this.#u32[vector + 2] = length;
    this.#u32[(HEADERS_AT + index * HEADER + 24) >>> 2]! += 1;
    this.segments[index]! += segments;
    this.bytes[index]! += counted;
  }

  /**
   * Says of the message that was begun last how it shall be cut, and with which type of service it shall go where it may.
   *
   * @param segment bytes of each datagram; 0: it is one
   */
  close(segment: number, family: 4 | 6, tos: number): void {
    const control = (CONTROLS_AT + (this.#count - 1) * CONTROL) >>> 2;
    this.#u16[2 * control + 8] = segment;
    this.#u32[control + 8] = family === 4 ? IPPROTO_IP : IPPROTO_IPV6;
    this.#u32[control + 9] = family === 4 ? IP_TOS : IPV6_TCLASS;
    this.#u32[control + 10] = tos;
  }

  /** Says of all messages whether their type of service goes with them. One of 0 need not: it is the socket's. */
  keepTos(keep: boolean): void {
    for (let index = 0; index < this.#count; index += 1) {
      const control = (CONTROLS_AT + index * CONTROL) >>> 2;
      const cut = this.#u16[2 * control + 8] !== 0;
      const tos = keep && this.#u32[control + 10] !== 0;
      const header = (HEADERS_AT + index * HEADER) >>> 2;
      this.#pointer(header + 8, this.#arena.address + 4 * control + (cut ? 0 : HALF));
      this.#u32[header + 10] = (cut ? HALF : 0) + (tos ? HALF : 0);
    }
  }

  /** Says of all messages that they go where their socket is connected to. */
  unnamed(): void {
    for (let index = 0; index < this.#count; index += 1) this.#u32[(HEADERS_AT + index * HEADER + 8) >>> 2] = 0;
  }

  /** Says of all messages where they go. @param name a struct sockaddr of 32 bytes at most */
  named(name: Uint8Array): void {
    this.#u8.set(name, NAMES_AT);
    for (let index = 0; index < this.#count; index += 1) this.#name(index, NAMES_AT, name.length);
  }

  /** Says of a message where it goes: the port alone is its own. @param name a struct sockaddr_in or sockaddr_in6 */
  namedWithPort(index: number, name: Uint8Array, port: number): void {
    const at = NAMES_AT + index * NAME;
    this.#u8.set(name, at);
    this.#u16[(at + 2) >>> 1] = ((port & 0xff) << 8) | (port >>> 8);
    this.#name(index, at, name.length);
  }

  #name(index: number, at: number, length: number): void {
    const header = (HEADERS_AT + index * HEADER) >>> 2;
    this.#pointer(header, this.#arena.address + at);
    this.#u32[header + 2] = length;
  }

  /** Sends those from one on, without waiting for room: how many went, or the negative error number of the first. */
  send(fd: number, from: number): number {
    const headers = this.#arena.address + HEADERS_AT + from * HEADER;
    const sent = sendmmsg(fd, headers, this.#count - from, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno() : sent;
  }

  #pointer(word: number, address: number): void {
    const high = Math.floor(address / FOUR_GIB);
    this.#u32[word] = address - high * FOUR_GIB;
    this.#u32[word + 1] = high;
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
  }
}
