/** What the kernel tells of a loaded program or map (struct bpf_prog_info, struct bpf_map_info). */
import { readFileSync } from "node:fs";
import { ERRNO } from "../errno.ts";
import { Fd } from "../fd.ts";
import { addressOf } from "../ffi.ts";
import { BpfAttribute, bpf, bpfError, tryBpf } from "./syscall.ts";

/** A map as it was created. */
export interface MapInfo {
  readonly id: number;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** At most 15 characters. */
  readonly name: string;
}

/** A loaded program. */
export interface ProgramInfo {
  readonly id: number;
  readonly type: number;
  /** At most 15 characters. */
  readonly name: string;
  /** Hash of its instructions, in hex; it does not depend on the content of its maps. */
  readonly tag: string;
  /** Ids of the maps it uses. */
  readonly mapIds: readonly number[];
  readonly gplCompatible: boolean;
  /** Nanoseconds after boot. */
  readonly loadedAt: bigint;
  /** The user who loaded it. */
  readonly uid: number;
  /** 0 when it has no types. */
  readonly btfId: number;
  /** Bytes of machine code; 0 when it is interpreted. */
  readonly jitedSize: number;
  /** Bytes of instructions after the verifier's rewriting. */
  readonly xlatedSize: number;
  /** Instructions that the verifier went through. */
  readonly verifiedInstructions: number;
  /** Runs, counted while kernel.bpf_stats_enabled is set. */
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
}

const MAP_INFO_SIZE = 88;
const PROGRAM_INFO_SIZE = 232;
const NAME_LENGTH = 16;
/** Far above what the verifier lets a program use (64). */
const MAX_MAPS = 128;

const nameAt = (buffer: Buffer, offset: number): string =>
  buffer.toString("latin1", offset, offset + NAME_LENGTH).replace(/\0.*$/s, "");

function readInfo(fd: number, info: Buffer): void {
  bpf("OBJ_GET_INFO_BY_FD", new BpfAttribute().u32(0, fd).u32(4, info.length).pointer(8, info));
}

/** Describes a map. @throws SystemError */
export function mapInfo(fd: number): MapInfo {
  const info = Buffer.alloc(MAP_INFO_SIZE);
  readInfo(fd, info);
  return {
    type: info.readUInt32LE(0),
    id: info.readUInt32LE(4),
    keySize: info.readUInt32LE(8),
    valueSize: info.readUInt32LE(12),
    maxEntries: info.readUInt32LE(16),
    flags: info.readUInt32LE(20),
    name: nameAt(info, 24),
  };
}

/** Describes a program. @throws SystemError */
export function programInfo(fd: number): ProgramInfo {
  const maps = Buffer.alloc(4 * MAX_MAPS);
  const info = Buffer.alloc(PROGRAM_INFO_SIZE);
  info.writeUInt32LE(MAX_MAPS, 52);
  info.writeBigUInt64LE(addressOf(maps), 56);
  readInfo(fd, info);
  const count = Math.min(info.readUInt32LE(52), MAX_MAPS);
  return {
    type: info.readUInt32LE(0),
    id: info.readUInt32LE(4),
    tag: info.toString("hex", 8, 16),
    name: nameAt(info, 64),
    mapIds: Array.from({ length: count }, (_, index) => maps.readUInt32LE(4 * index)),
    gplCompatible: (info.readUInt32LE(84) & 1) !== 0,
    loadedAt: info.readBigUInt64LE(40),
    uid: info.readUInt32LE(48),
    btfId: info.readUInt32LE(128),
    jitedSize: info.readUInt32LE(16),
    xlatedSize: info.readUInt32LE(20),
    verifiedInstructions: info.readUInt32LE(216),
    runTimeNs: info.readBigUInt64LE(192),
    runCount: info.readBigUInt64LE(200),
  };
}

/** Kernel memory that an open program or map is charged with, in bytes; 0 when the kernel does not tell. */
export function memoryOf(fd: number): number {
  const found = /^memlock:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"));
  return found ? Number(found[1]) : 0;
}

function openById(command: "PROG_GET_FD_BY_ID" | "MAP_GET_FD_BY_ID", id: number): Fd | undefined {
  const result = tryBpf(command, new BpfAttribute().u32(0, id));
  if (result === -ERRNO.ENOENT) return undefined;
  if (result < 0) throw bpfError(command, -result, String(id));
  return new Fd(result);
}

/** Opens a program by its id; undefined when it is gone. @throws SystemError */
export const openProgramById = (id: number): Fd | undefined => openById("PROG_GET_FD_BY_ID", id);
/** Opens a map by its id; undefined when it is gone. @throws SystemError */
export const openMapById = (id: number): Fd | undefined => openById("MAP_GET_FD_BY_ID", id);
