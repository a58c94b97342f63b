/**
 * Reading netlink messages. Both readers are cursors: `next()` steps on and the fields tell of the current item, so that a
 * dump of 50,000 classes makes no objects but its results. Nothing outlives the buffer unless it is copied.
 */
import { align, HEADER_LENGTH } from "./message.ts";

const ATTRIBUTE_HEADER = 4;
/** The upper two bits are NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const ATTRIBUTE_TYPE = 0x3fff;
const TWO_32 = 2 ** 32;

/** What is received does not hold what its lengths promise. */
export class TruncatedMessage extends RangeError {
  override readonly name = "TruncatedMessage";
}

function truncated(what: string, at: number, wanted: number, available: number): never {
  throw new TruncatedMessage(`Cannot read ${what} at byte ${at}: it needs ${wanted} bytes, ${available} are left`);
}

/** A cursor over the attributes between two offsets. */
export class Attributes {
  readonly #view: DataView;
  readonly #end: number;
  #next: number;
  /** Type of the current attribute, its flag bits masked. */
  type = 0;
  /** Where its content begins. */
  at = 0;
  /** Bytes of its content, padding left out. */
  length = 0;

  constructor(view: DataView, start: number, end: number) {
    this.#view = view;
    this.#next = start;
    this.#end = end;
  }

  /** Steps to the next attribute; false after the last. @throws TruncatedMessage when it reaches over the end */
  next(): boolean {
    const left = this.#end - this.#next;
    if (left < ATTRIBUTE_HEADER) {
      if (left > 0) truncated("an attribute header", this.#next, ATTRIBUTE_HEADER, left);
      return false;
    }
    const whole = this.#view.getUint16(this.#next, true);
    if (whole < ATTRIBUTE_HEADER || whole > left) truncated("an attribute", this.#next, whole, left);
    this.type = this.#view.getUint16(this.#next + 2, true) & ATTRIBUTE_TYPE;
    this.at = this.#next + ATTRIBUTE_HEADER;
    this.length = whole - ATTRIBUTE_HEADER;
    // The last attribute may come without its padding.
    this.#next = Math.min(this.#next + align(whole), this.#end);
    return true;
  }

  /** 8 bits at an offset into the content. */
  u8(offset = 0): number {
    this.#need(offset + 1);
    return this.#view.getUint8(this.at + offset);
  }
  /** 16 bits. */
  u16(offset = 0): number {
    this.#need(offset + 2);
    return this.#view.getUint16(this.at + offset, true);
  }
  /** 32 bits. */
  u32(offset = 0): number {
    this.#need(offset + 4);
    return this.#view.getUint32(this.at + offset, true);
  }
  /** 32 bits, signed. */
  i32(offset = 0): number {
    this.#need(offset + 4);
    return this.#view.getInt32(this.at + offset, true);
  }
  /** 64 bits as a number; above 2^53 the last digits are lost. */
  u64(offset = 0): number {
    this.#need(offset + 8);
    const at = this.at + offset;
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * TWO_32;
  }
  /** Whether the content is this ASCII text; makes no string to find out. */
  is(text: string): boolean {
    if (this.length !== text.length + 1) return false;
    for (let i = 0; i < text.length; i += 1) if (this.#view.getUint8(this.at + i) !== text.charCodeAt(i)) return false;
    return true;
  }
  /** The text up to its ending zero. */
  string(): string {
    let length = 0;
    while (length < this.length && this.#view.getUint8(this.at + length) !== 0) length += 1;
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + this.at, length).toString();
  }
  /** A copy of the content. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.at, this.length).slice();
  }
  /** A cursor over the attributes inside. */
  nested(offset = 0): Attributes {
    return new Attributes(this.#view, this.at + offset, this.at + this.length);
  }

  /** A new cursor over the same attributes, from this one's next on. */
  again(): Attributes {
    return new Attributes(this.#view, this.#next, this.#end);
  }

  #need(length: number): void {
    if (length > this.length) truncated(`attribute ${this.type}`, this.at, length, this.length);
  }
}

/** A cursor over the messages of a datagram. */
export class Messages {
  readonly #view: DataView;
  readonly #filled: number;
  #next = 0;
  #end = 0;
  #at = 0;
  /** Type of the current message. */
  type = 0;
  /** Its flags. */
  flags = 0;
  /** Its sequence number. */
  sequence = 0;
  /** The port of the socket whose request it answers or tells of; 0 when the kernel did it by itself. */
  port = 0;

  /** @param length how much of the view is filled; all of it when left out */
  constructor(view: DataView, length = view.byteLength) {
    this.#view = view;
    this.#filled = length;
  }

  /** Reads bytes that are not in a view yet. */
  static of(bytes: Uint8Array): Messages {
    return new Messages(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Steps to the next message; false after the last. @throws TruncatedMessage when it reaches over the end */
  next(): boolean {
    const start = this.#next;
    const left = this.#filled - start;
    if (left < HEADER_LENGTH) {
      if (left > 0) truncated("a message header", start, HEADER_LENGTH, left);
      return false;
    }
    const length = this.#view.getUint32(start, true);
    if (length < HEADER_LENGTH || length > left) truncated("a message", start, length, left);
    this.type = this.#view.getUint16(start + 4, true);
    this.flags = this.#view.getUint16(start + 6, true);
    this.sequence = this.#view.getUint32(start + 8, true);
    this.port = this.#view.getUint32(start + 12, true);
    this.#at = start + HEADER_LENGTH;
    this.#end = start + length;
    this.#next = Math.min(start + align(length), this.#filled);
    return true;
  }

  /** Bytes after the header. */
  get length(): number {
    return this.#end - this.#at;
  }

  /** 8 bits of the fixed part, at an offset from the end of the header. */
  u8(offset: number): number {
    this.#need(offset + 1);
    return this.#view.getUint8(this.#at + offset);
  }
  /** 16 bits of the fixed part. */
  u16(offset: number): number {
    this.#need(offset + 2);
    return this.#view.getUint16(this.#at + offset, true);
  }
  /** 32 bits of the fixed part. */
  u32(offset: number): number {
    this.#need(offset + 4);
    return this.#view.getUint32(this.#at + offset, true);
  }
  /** 32 bits of the fixed part, signed. */
  i32(offset: number): number {
    this.#need(offset + 4);
    return this.#view.getInt32(this.#at + offset, true);
  }
  /** The attributes that follow a fixed part of this many bytes. */
  attributes(fixed: number): Attributes {
    this.#need(fixed);
    return new Attributes(this.#view, this.#at + align(fixed), this.#end);
  }

  #need(length: number): void {
    if (this.#at + length > this.#end) truncated(`message type ${this.type}`, this.#at, length, this.length);
  }
}
