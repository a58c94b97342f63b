/** The classifier's tables and read-only data as bytes: the other side of `bpf/classifier.h`. */
import { encode, type Layout } from "../core/layout.ts";
import { commonAddress, commonLength, prefix, type Prefix } from "../core/prefix.ts";
import type { Handle } from "../core/tc/handle.ts";
import type { ClassifierConfig, HostEntry, Target, UnknownTarget } from "./model.ts";

/** What the classifier made of a packet, in the order of its counters. */
export const OUTCOMES = [
  "known_ipv4",
  "known_ipv6",
  "unknown_ipv4",
  "unknown_ipv6",
  "not_ip",
  "other_vlan",
  "malformed",
] as const;
/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number];

/** A row of the counters, exact up to 2^53. A train of packets that the device cuts up (GSO) counts as one packet. */
export interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

const SIDES = ["download", "upload", "vlan"] as const satisfies readonly ClassifierConfig["side"][];
const MAPPED = 0xffffn;
const LOW_64 = 2n ** 64n - 1n;

/** `struct host_key`: u32 length, the address in network order. */
export const HOST_KEY: Layout<Prefix> = {
  size: 20,
  write(buffer, offset, value) {
    const address = commonAddress(value);
    buffer.writeUInt32LE(commonLength(value), offset);
    buffer.writeBigUInt64BE(address >> 64n, offset + 4);
    buffer.writeBigUInt64BE(address & LOW_64, offset + 12);
  },
  read(buffer, offset) {
    const length = buffer.readUInt32LE(offset);
    const address = (buffer.readBigUInt64BE(offset + 4) << 64n) | buffer.readBigUInt64BE(offset + 12);
    if (length >= 96 && address >> 32n === MAPPED) return prefix(4, address & 0xffff_ffffn, length - 96);
    return prefix(6, address, length);
  },
};

/** `struct target`. */
const TARGET: Layout<Target> = {
  size: 8,
  write(buffer, offset, value) {
    buffer.writeUInt32LE(value.classid, offset);
    buffer.writeUInt32LE(value.queue, offset + 4);
  },
  read: (buffer, offset) => ({
    classid: buffer.readUInt32LE(offset) as Handle,
    queue: buffer.readUInt32LE(offset + 4),
  }),
};

/** A row's value: the family its prefix is of, and where its packets go. */
export interface Host {
  readonly family: 4 | 6;
  readonly target: HostEntry["target"];
}

/** `struct host`. */
export const HOST: Layout<Host> = {
  size: 4 + 2 * TARGET.size,
  write(buffer, offset, value) {
    buffer.writeUInt32LE(value.family, offset);
    TARGET.write(buffer, offset + 4, value.target.download);
    TARGET.write(buffer, offset + 4 + TARGET.size, value.target.upload);
  },
  read: (buffer, offset) => ({
    family: buffer.readUInt32LE(offset) === 4 ? 4 : 6,
    target: { download: TARGET.read(buffer, offset + 4), upload: TARGET.read(buffer, offset + 4 + TARGET.size) },
  }),
};

/** `struct counter`. */
export const COUNTER: Layout<Counter> = {
  size: 16,
  write(buffer, offset, value) {
    buffer.writeBigUInt64LE(BigInt(value.packets), offset);
    buffer.writeBigUInt64LE(BigInt(value.bytes), offset + 8);
  },
  read: (buffer, offset) => ({
    packets: Number(buffer.readBigUInt64LE(offset)),
    bytes: Number(buffer.readBigUInt64LE(offset + 8)),
  }),
};

/** `struct unknown_target`. */
const UNKNOWN: Layout<UnknownTarget> = {
  size: 8,
  write(buffer, offset, value) {
    buffer.writeUInt32LE(value.classid, offset);
    buffer.writeUInt16LE(value.firstQueue, offset + 4);
    buffer.writeUInt16LE(value.queues, offset + 6);
  },
  read: (buffer, offset) => ({
    classid: buffer.readUInt32LE(offset) as Handle,
    firstQueue: buffer.readUInt16LE(offset + 4),
    queues: buffer.readUInt16LE(offset + 6),
  }),
};

/** A program's read-only data: its configuration, and what only the loader knows. */
export interface ReadOnlyData {
  readonly config: ClassifierConfig;
  /** Which object the program was loaded from. */
  readonly buildId: number;
  /** Packets on the device begin with the IP header. */
  readonly bareIp: boolean;
}

/** `struct config`. */
export const READ_ONLY_DATA: Layout<ReadOnlyData> = {
  size: 28,
  write(buffer, offset, { config, buildId, bareIp }) {
    buffer.writeUInt32LE(buildId, offset);
    buffer.writeUInt8(SIDES.indexOf(config.side), offset + 4);
    buffer.writeUInt8(Number(bareIp), offset + 5);
    buffer.writeUInt16LE(config.lanVlan, offset + 6);
    buffer.writeUInt16LE(config.internetVlan, offset + 8);
    UNKNOWN.write(buffer, offset + 12, config.unknown.download);
    UNKNOWN.write(buffer, offset + 20, config.unknown.upload);
  },
  read: (buffer, offset) => ({
    buildId: buffer.readUInt32LE(offset),
    bareIp: buffer.readUInt8(offset + 5) !== 0,
    config: {
      side: SIDES[buffer.readUInt8(offset + 4)] ?? "download",
      lanVlan: buffer.readUInt16LE(offset + 6),
      internetVlan: buffer.readUInt16LE(offset + 8),
      unknown: { download: UNKNOWN.read(buffer, offset + 12), upload: UNKNOWN.read(buffer, offset + 20) },
    },
  }),
};

/** The read-only data to load a program with. */
export const encodeReadOnlyData = (value: ReadOnlyData): Buffer => encode(READ_ONLY_DATA, value);

/** A row as the table takes it. */
export const hostRow = (entry: HostEntry): [Prefix, Host] => [
  entry.prefix,
  { family: entry.prefix.family, target: entry.target },
];

/** A row as the model has it. */
export const hostEntry = ([key, host]: readonly [Prefix, Host]): HostEntry => ({ prefix: key, target: host.target });

const SMALLEST_TABLE = 16_384;

/**
 * How many rows a new table shall have room for: a power of two, twice what it begins with, so that the customers of
 * the next years fit in without another table. Rows take memory only once they are there.
 */
export function tableSize(rows: number): number {
  let size = SMALLEST_TABLE;
  while (size < 2 * rows) size *= 2;
  return size;
}

/** Adds up the values that each CPU counted. */
export const sumCounters = (counters: readonly Counter[]): Counter =>
  counters.reduce((sum, each) => ({ packets: sum.packets + each.packets, bytes: sum.bytes + each.bytes }), {
    packets: 0,
    bytes: 0,
  });
