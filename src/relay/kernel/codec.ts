/** The kernel plane's tables and read-only data as bytes: the other side of `bpf/relay.h`. */
import { hash } from "node:crypto";
import { encode, type Layout } from "../../core/layout.ts";
import { bitsDepth, packetsDepth } from "../bucket.ts";
import { COUNTERS, type RateCap } from "../model.ts";

/** Most outputs of a row. */
export const MAX_OUTPUTS = 60;
/** Most rows, for all interfaces together. */
export const MAX_ROWS = 16_384;
/** Most interfaces that packets are taken from. */
export const MAX_INPUTS = 1024;

const TICKS_PER_SECOND = 16e9;
const KEEP_DSCP = 0xff;
const KEEP_SOURCE = 1;
const ADDRESS = 16;
const MAC = 6;
/** `::ffff:0:0/96`, where IPv4 lies. */
const MAPPED = Buffer.from("00000000000000000000ffff", "hex");
const NOTHING = Buffer.alloc(ADDRESS);

/** What a row is found by. Addresses have 4 or 16 bytes, network order. */
export interface RuleKey {
  readonly ifindex: number;
  /** 0: untagged. */
  readonly vlan: number;
  readonly group: Uint8Array;
  /** 0: any. */
  readonly port: number;
  readonly source?: Uint8Array;
}

/** Where a row sends copies. */
export interface RowOutput {
  /** Of its counters. */
  readonly slot: number;
  readonly ifindex: number;
  readonly group: Uint8Array;
  /** 0: that of the packet. */
  readonly port: number;
  readonly ttl: number;
  /** Undefined: that of the packet. */
  readonly dscp?: number;
  /** Undefined: that of the packet. */
  readonly source?: Uint8Array;
  /** 6 bytes, zeros for a device without a link layer. */
  readonly mac: Uint8Array;
  readonly ownMac: Uint8Array;
}

/** A row's value. Without outputs it leaves packets to the user plane that rows with less in their keys would take. */
export interface RowRule {
  /** Of its counters. */
  readonly slot: number;
  /** The smallest of the outputs', in bytes from the IP header on. */
  readonly mtu: number;
  readonly cap: RateCap;
  readonly outputs: readonly RowOutput[];
}

/** An address in 16 bytes. */
function writeAddress(buffer: Buffer, offset: number, address: Uint8Array): void {
  if (address.length === 4) buffer.set(MAPPED, offset);
  buffer.set(address, offset + ADDRESS - address.length);
}

function readAddress(buffer: Buffer, offset: number): Buffer {
  const address = Buffer.from(buffer.subarray(offset, offset + ADDRESS));
  return address.subarray(0, MAPPED.length).equals(MAPPED) ? address.subarray(MAPPED.length) : address;
}

/** `struct rule_key`. */
export const RULE_KEY: Layout<RuleKey> = {
  size: 8 + 2 * ADDRESS,
  write(buffer, offset, { ifindex, port, vlan, group, source }) {
    buffer.writeUInt32LE(ifindex, offset);
    buffer.writeUInt16BE(port, offset + 4);
    buffer.writeUInt16LE(vlan, offset + 6);
    writeAddress(buffer, offset + 8, group);
    if (source) writeAddress(buffer, offset + 8 + ADDRESS, source);
  },
  read(buffer, offset) {
    const source = buffer.subarray(offset + 8 + ADDRESS, offset + 8 + 2 * ADDRESS);
    return {
      ifindex: buffer.readUInt32LE(offset),
      port: buffer.readUInt16BE(offset + 4),
      vlan: buffer.readUInt16LE(offset + 6),
      group: readAddress(buffer, offset + 8),
      ...(!source.equals(NOTHING) && { source: readAddress(source, 0) }),
    };
  },
};

/** `struct output`. */
const OUTPUT: Layout<RowOutput> = {
  size: 64,
  write(buffer, offset, output) {
    buffer.writeUInt32LE(output.slot, offset);
    buffer.writeUInt32LE(output.ifindex, offset + 4);
    buffer.writeUInt16BE(output.port, offset + 8);
    buffer.writeUInt8(output.ttl, offset + 10);
    buffer.writeUInt8(output.dscp ?? KEEP_DSCP, offset + 11);
    buffer.writeUInt32LE(output.source ? 0 : KEEP_SOURCE, offset + 12);
    if (output.source) writeAddress(buffer, offset + 16, output.source);
    writeAddress(buffer, offset + 32, output.group);
    buffer.set(output.mac, offset + 48);
    buffer.set(output.ownMac, offset + 54);
  },
  read(buffer, offset) {
    const dscp = buffer.readUInt8(offset + 11);
    const kept = (buffer.readUInt32LE(offset + 12) & KEEP_SOURCE) !== 0;
    return {
      slot: buffer.readUInt32LE(offset),
      ifindex: buffer.readUInt32LE(offset + 4),
      port: buffer.readUInt16BE(offset + 8),
      ttl: buffer.readUInt8(offset + 10),
      group: readAddress(buffer, offset + 32),
      mac: Buffer.from(buffer.subarray(offset + 48, offset + 48 + MAC)),
      ownMac: Buffer.from(buffer.subarray(offset + 54, offset + 54 + MAC)),
      ...(dscp !== KEEP_DSCP && { dscp }),
      ...(!kept && { source: readAddress(buffer, offset + 16) }),
    };
  },
};

/** `struct rate`: a rate, 0 for none, and what its bucket holds as time of it, in ticks of a 16th of a nanosecond. */
function writeRate(
  buffer: Buffer,
  offset: number,
  perSecond: number | undefined,
  depth: (rate: number) => number,
): void {
  if (perSecond === undefined) return;
  buffer.writeBigUInt64LE(BigInt(perSecond), offset);
  buffer.writeBigUInt64LE(BigInt(Math.round(depth(perSecond) * TICKS_PER_SECOND)), offset + 8);
}

const VERSION = 12;
const RULE_HEAD = 56;
const BITS = 16;
const PACKETS = 32;

function readCap(buffer: Buffer, offset: number): RateCap {
  const [bits, packets] = [BITS, PACKETS].map((at) => Number(buffer.readBigUInt64LE(offset + at)));
  return {
    ...(bits !== 0 && { bitsPerSecond: bits! }),
    ...(packets !== 0 && { packetsPerSecond: packets! }),
  };
}

/** `struct rule`, but for what {@link encodeRow} adds. @throws RangeError for more than {@link MAX_OUTPUTS} outputs */
export const RULE: Layout<RowRule> = {
  size: RULE_HEAD + MAX_OUTPUTS * OUTPUT.size,
  write(buffer, offset, { slot, mtu, cap, outputs }) {
    if (outputs.length > MAX_OUTPUTS) throw new RangeError(`A row has ${MAX_OUTPUTS} outputs at most`);
    buffer.writeUInt32LE(slot, offset);
    buffer.writeUInt32LE(outputs.length, offset + 4);
    buffer.writeUInt32LE(mtu, offset + 8);
    writeRate(buffer, offset + BITS, cap.bitsPerSecond, bitsDepth);
    writeRate(buffer, offset + PACKETS, cap.packetsPerSecond, packetsDepth);
    outputs.forEach((output, i) => OUTPUT.write(buffer, offset + RULE_HEAD + i * OUTPUT.size, output));
  },
  read: (buffer, offset) => ({
    slot: buffer.readUInt32LE(offset),
    mtu: buffer.readUInt32LE(offset + 8),
    cap: readCap(buffer, offset),
    outputs: Array.from({ length: buffer.readUInt32LE(offset + 4) }, (_, i) =>
      OUTPUT.read(buffer, offset + RULE_HEAD + i * OUTPUT.size),
    ),
  }),
};

/** Keys as bytes, for whoever only compares them. */
export const RAW_KEY: Layout<Buffer> = {
  size: RULE_KEY.size,
  write: (buffer, offset, value) => void value.copy(buffer, offset),
  read: (buffer, offset) => Buffer.from(buffer.subarray(offset, offset + RULE_KEY.size)),
};

/** Values as bytes, without the places of outputs that are not there: those are most of it. */
export const RAW_RULE: Layout<Buffer> = {
  size: RULE.size,
  write: (buffer, offset, value) => void value.copy(buffer, offset),
  read(buffer, offset) {
    const outputs = Math.min(buffer.readUInt32LE(offset + 4), MAX_OUTPUTS);
    return Buffer.from(buffer.subarray(offset, offset + RULE_HEAD + outputs * OUTPUT.size));
  },
};

/** A row as the map has it, the value as {@link RAW_RULE} has it. */
export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** What the buckets of a row are: its slot's, for these rates. */
export interface RowBuckets {
  readonly slot: number;
  /** The same for the same rates. */
  readonly rates: string;
}

/** The buckets of a row, from its value; undefined when it has none. */
export function bucketsOf(value: Buffer): RowBuckets | undefined {
  const { bitsPerSecond, packetsPerSecond } = readCap(value, 0);
  if (bitsPerSecond === undefined && packetsPerSecond === undefined) return undefined;
  return { slot: value.readUInt32LE(0), rates: `${bitsPerSecond} ${packetsPerSecond}` };
}

/** Of a word of 64 bits by its place. */
const weight = (index: number): bigint => ((BigInt(index + 1) * 0x2545_f491n) & 0x7fff_ffffn) | 1n;
const WEIGHTS = Array.from({ length: 32 }, (_, index) => weight(index));
/** Where the weights of a key's words begin. */
const KEY_WEIGHTS = 16;

/** The sum of whole words of 64 bits by their places, from that of `first` on. */
function weigh(bytes: Buffer, first = 0): bigint {
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 8) sum += bytes.readBigUInt64LE(at) * WEIGHTS[first + at / 8]!;
  return sum;
}

const fold = (sum: bigint): number => Number((sum ^ (BigInt.asUintN(64, sum) >> 32n)) & 0xffff_ffffn);

/**
 * Makes a row, with that by which the program sees that what it reads is this one and whole.
 *
 * @throws RangeError for more than {@link MAX_OUTPUTS} outputs
 */
export function encodeRow(key: RuleKey, rule: RowRule): Row {
  const row = { key: encode(RULE_KEY, key), value: Buffer.alloc(RULE_HEAD + rule.outputs.length * OUTPUT.size) };
  const { value } = row;
  RULE.write(value, 0, rule);
  const version = hash("sha1", value, "buffer").readUInt32LE(0);
  value.writeUInt32LE(version, VERSION);
  // Checks stand last in what they are of, and are 0 so far.
  const head = weigh(value.subarray(0, RULE_HEAD)) + weigh(row.key, KEY_WEIGHTS);
  value.writeUInt32LE(fold(head), RULE_HEAD - 4);
  for (let at = RULE_HEAD; at < value.length; at += OUTPUT.size) {
    const check = fold(weigh(value.subarray(at, at + OUTPUT.size))) + version;
    value.writeUInt32LE(check >>> 0, at + OUTPUT.size - 4);
  }
  return row;
}

/** What kinds of rules an interface has (`enum kind`), a bit each. */
export const kindOf = ({ source, port }: Pick<RuleKey, "source" | "port">): number => {
  if (source) return port === 0 ? 2 : 1;
  return port === 0 ? 8 : 4;
};

/** `struct buckets`: a rule's, which the program alone fills. */
export const BUCKETS: Layout<readonly [bits: bigint, packets: bigint]> = {
  size: 16,
  write(buffer, offset, [bits, packets]) {
    buffer.writeBigUInt64LE(bits, offset);
    buffer.writeBigUInt64LE(packets, offset + 8);
  },
  read: (buffer, offset) => [buffer.readBigUInt64LE(offset), buffer.readBigUInt64LE(offset + 8)],
};

/** `struct counters`: each counter in the order of COUNTERS, exact up to 2^53. */
export const COUNTERS_ROW: Layout<number[]> = {
  size: 8 * COUNTERS.length,
  write: (buffer, offset, values) =>
    values.forEach((value, i) => void buffer.writeBigUInt64LE(BigInt(value), offset + 8 * i)),
  read: (buffer, offset) => COUNTERS.map((_, i) => Number(buffer.readBigUInt64LE(offset + 8 * i))),
};

/** `struct config`: which object the program was loaded from. */
export const encodeConfig = (buildId: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(buildId, 0);
  return buffer;
};
