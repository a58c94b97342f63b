/**
 * A dispatcher's configuration as bytes: the other side of `bpf/dispatcher.h`. The freplace engine writes it to the
 * program's read-only data, the fused engine to a map that it binds to the program; either way the kernel alone tells
 * what a dispatcher is made of.
 */
import { SLOTS } from "./model.ts";

/** A slot with a member in it. */
export interface SlotConfig {
  /** The mask of the verdicts after which the chain goes on, unsigned. */
  readonly chainCallActions: number;
  /** Of no effect: the slots are in their order. */
  readonly runPriority: number;
  /** What the member was loaded with, as BPF_PROG_LOAD takes it. */
  readonly programFlags: number;
  /** Our id of the member's link. */
  readonly linkId: number;
}

/** A dispatcher's configuration, the same for XDP and TC. Numbers are unsigned, of 32 bits. */
export interface DispatcherConfig {
  /** Loaded for packets in several buffers. */
  readonly isXdpFrags: boolean;
  /** Counts the rebuilds of the hook's dispatcher, from 1; 0 as built. */
  readonly revision: number;
  /** In the order in which they run; ten at most. */
  readonly members: readonly SlotConfig[];
}

/** Bytes of `struct config`. */
export const CONFIG_SIZE = 172;

/** What libxdp's dispatchers begin with. Others have other layouts. */
const MAGIC = 236;
const VERSION = 2;
/** Where the fields stand. */
const AT = { magic: 0, version: 1, count: 2, frags: 3, revision: 164 } as const;
/** Where the arrays begin that have a number per slot. */
const ARRAYS: Readonly<Record<keyof SlotConfig, number>> = {
  chainCallActions: 4,
  runPriority: 44,
  programFlags: 84,
  linkId: 124,
};

/** `struct config`. @throws RangeError for more than ten members, and for numbers of more than 32 bits */
export function encodeConfig({ isXdpFrags, revision, members }: DispatcherConfig): Buffer {
  if (members.length > SLOTS) throw new RangeError(`Cannot put ${members.length} members into ${SLOTS} slots`);
  const bytes = Buffer.alloc(CONFIG_SIZE);
  bytes.writeUInt8(MAGIC, AT.magic);
  bytes.writeUInt8(VERSION, AT.version);
  bytes.writeUInt8(members.length, AT.count);
  bytes.writeUInt8(Number(isXdpFrags), AT.frags);
  bytes.writeUInt32LE(revision, AT.revision);
  for (const [slot, member] of members.entries())
    for (const field of Object.keys(ARRAYS) as (keyof SlotConfig)[])
      bytes.writeUInt32LE(member[field], ARRAYS[field] + 4 * slot);
  return bytes;
}

/** Reads it back; undefined for what is not the configuration of a dispatcher of ours. */
export function decodeConfig(bytes: Uint8Array): DispatcherConfig | undefined {
  if (bytes.length !== CONFIG_SIZE || bytes[AT.magic] !== MAGIC || bytes[AT.version] !== VERSION) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.readUInt8(AT.count);
  if (count > SLOTS) return undefined;
  const read = (field: keyof SlotConfig, slot: number): number => view.readUInt32LE(ARRAYS[field] + 4 * slot);
  return {
    isXdpFrags: view.readUInt8(AT.frags) !== 0,
    revision: view.readUInt32LE(AT.revision),
    members: Array.from({ length: count }, (_, slot) => ({
      chainCallActions: read("chainCallActions", slot),
      runPriority: read("runPriority", slot),
      programFlags: read("programFlags", slot),
      linkId: read("linkId", slot),
    })),
  };
}
