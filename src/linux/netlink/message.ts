/**
 * Netlink messages as bytes: a header of 16 bytes, a fixed part that depends on the type, and attributes, everything
 * padded to 4 bytes (linux/netlink.h). Numbers are in host order, which is little-endian on every machine Node 24 and this
 * project run on.
 */

/** Bytes of a message header: u32 length, u16 type, u16 flags, u32 sequence number, u32 port id. */
export const HEADER_LENGTH = 16;

/** Where the flags stand in a message, 16 bits. */
export const FLAGS_OFFSET = 6;

/** Where the sequence number stands in a message. */
export const SEQUENCE_OFFSET = 8;

/** Flags of requests (NLM_F_*). */
export const FLAG = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  /** The kernel sends back what it made. */
  ECHO: 0x8,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
} as const;

/** Types that mean the same for every netlink family. */
export const NLMSG_ERROR = 2;
/** Ends a dump. */
export const NLMSG_DONE = 3;

/** The rtnetlink message types that sluice uses (linux/rtnetlink.h). */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWTCLASS: 40,
  DELTCLASS: 41,
  GETTCLASS: 42,
  NEWTFILTER: 44,
  DELTFILTER: 45,
  GETTFILTER: 46,
} as const;

/** Finished messages, one after the other in one piece of memory. */
export interface EncodedBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each message begins, and as the last entry where the last one ends: `count + 1` numbers. */
  readonly starts: Uint32Array<ArrayBuffer>;
}

/** How many messages a batch holds. */
export const countOf = (batch: EncodedBatch): number => batch.starts.length - 1;

/** The next multiple of four. */
export const align = (length: number): number => (length + 3) & ~3;

const ATTRIBUTE_HEADER = 4;
const MAX_ATTRIBUTE = 0xffff;
const TWO_32 = 2 ** 32;

/**
 * Writes messages one after the other into one growing buffer. Sequence numbers are left 0: the socket that sends the
 * batch stamps them.
 *
 * ```ts
 * const writer = new MessageWriter();
 * writer.begin(RTM.GETLINK, FLAG.REQUEST);
 * writer.fixedZeros(16);
 * writer.string(3, "eth0");
 * writer.end();
 * const [error] = socket.send(writer.finish());
 * ```
 */
export class MessageWriter {
  // Never reused after finish(), so that skipped bytes and padding are zero without writing them.
  #buffer: Buffer<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #starts: number[] = [0];
  #message = -1;
  #at = 0;

  /** @param capacity bytes to begin with */
  constructor(capacity = 4096) {
    const memory = new ArrayBuffer(capacity);
    this.#buffer = Buffer.from(memory);
    this.#view = new DataView(memory);
  }

  /** How many messages are finished. */
  get count(): number {
    return this.#starts.length - 1;
  }

  /** Begins a message with its header. */
  begin(type: number, flags: number): void {
    if (this.#message >= 0) throw new TypeError("Cannot begin a message inside another: end() is missing");
    this.#message = this.#at;
    const at = this.#take(HEADER_LENGTH);
    this.#view.setUint16(at + 4, type, true);
    this.#view.setUint16(at + 6, flags, true);
  }

  /** Ends the message: fills in its length. */
  end(): void {
    if (this.#message < 0) throw new TypeError("Cannot end a message that was not begun");
    this.#view.setUint32(this.#message, this.#at - this.#message, true);
    this.#message = -1;
    this.#starts.push(this.#at);
  }

  /** Hands over everything written; the writer cannot be used afterwards. */
  finish(): EncodedBatch {
    if (this.#message >= 0) throw new TypeError("Cannot finish inside a message: end() is missing");
    const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#at);
    const starts = Uint32Array.from(this.#starts);
    this.#buffer = Buffer.from(new ArrayBuffer(0));
    this.#view = new DataView(this.#buffer.buffer);
    this.#at = 0;
    this.#starts = [0];
    return { bytes, starts };
  }

  /** Appends one byte to the fixed part (or to the content of an open attribute). */
  fixedU8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }
  /** Appends 16 bits. */
  fixedU16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }
  /** Appends 32 bits; a negative value becomes its two's complement. */
  fixedU32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }
  /** Appends zeros. */
  fixedZeros(length: number): void {
    this.#take(length);
  }

  /** An attribute of one byte. */
  u8(type: number, value: number): void {
    const at = this.#attribute(type, 1);
    this.#view.setUint8(at, value);
  }
  /** An attribute of 16 bits. */
  u16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#view.setUint16(at, value, true);
  }
  /** An attribute of 32 bits. */
  u32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setUint32(at, value, true);
  }
  /** A signed attribute of 32 bits. */
  i32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setInt32(at, value, true);
  }
  /** An attribute of 64 bits, from a whole number up to 2^53. */
  u64(type: number, value: number): void {
    const at = this.#attribute(type, 8);
    this.#view.setUint32(at, value % TWO_32, true);
    this.#view.setUint32(at + 4, Math.floor(value / TWO_32), true);
  }
  /** A text with its ending zero. */
  string(type: number, text: string): void {
    const at = this.#attribute(type, Buffer.byteLength(text) + 1);
    this.#buffer.write(text, at);
  }
  /** An attribute with this content. */
  bytes(type: number, content: Uint8Array): void {
    const at = this.#attribute(type, content.length);
    this.#buffer.set(content, at);
  }

  /** Opens an attribute whose content is written next; pass what it returns to {@link close}. */
  open(type: number): number {
    return this.#attribute(type, 0) - ATTRIBUTE_HEADER;
  }
  /** Closes the attribute that {@link open} returned. */
  close(attribute: number): void {
    const length = this.#at - attribute;
    if (length > MAX_ATTRIBUTE)
      throw new RangeError(`Cannot encode an attribute of ${length} bytes: 65535 is the most`);
    this.#view.setUint16(attribute, length, true);
    this.#at = attribute + align(length);
  }

  #attribute(type: number, length: number): number {
    const whole = ATTRIBUTE_HEADER + length;
    if (whole > MAX_ATTRIBUTE) throw new RangeError(`Cannot encode an attribute of ${whole} bytes: 65535 is the most`);
    const at = this.#take(align(whole));
    this.#view.setUint16(at, whole, true);
    this.#view.setUint16(at + 2, type, true);
    return at + ATTRIBUTE_HEADER;
  }

  /** Claims room and returns where it begins. */
  #take(length: number): number {
    const at = this.#at;
    this.#at += length;
    // Three more, so that close() may pad without asking.
    if (this.#at + 3 > this.#buffer.length) this.#grow(this.#at + 3);
    return at;
  }

  #grow(needed: number): void {
    const memory = this.#buffer.buffer.transfer(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer = Buffer.from(memory);
    this.#view = new DataView(memory);
  }
}

/** One message by itself, made by `write` between begin and end. */
export function encodeOne(type: number, flags: number, write: (writer: MessageWriter) => void): EncodedBatch {
  const writer = new MessageWriter(256);
  writer.begin(type, flags);
  write(writer);
  writer.end();
  return writer.finish();
}
