/** Perf events, which tracepoints and probes are for the kernel (perf_event_open(2)). */
import { readFileSync } from "node:fs";
import { type SluiceError, sluiceError } from "../../core/errors.ts";
import { SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { addressOf, errno, perfEventOpen } from "../ffi.ts";

const ATTRIBUTE_SIZE = 128;
const TYPE_TRACEPOINT = 2;
const PERF_FLAG_FD_CLOEXEC = 8;

/** What to attach to cannot be used, with what to do about it. */
export const badTarget = (target: string, reason: string, remedy: string): SluiceError =>
  sluiceError("TRACE_TARGET", { target, reason, remedy });

function open(attribute: Buffer, pid: number, cpu: number, what: string): Fd {
  const fd = perfEventOpen(attribute, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) throw new SystemError(`perf_event_open ${what}`, errno());
  return new Fd(fd);
}

function attributeOf(type: number, config: bigint): Buffer {
  const attribute = Buffer.alloc(ATTRIBUTE_SIZE);
  attribute.writeUInt32LE(type, 0);
  attribute.writeUInt32LE(ATTRIBUTE_SIZE, 4);
  attribute.writeBigUInt64LE(config, 8);
  return attribute;
}

/** The event of a tracepoint's number; a program on it sees every CPU. @throws SystemError */
export function openTracepointEvent(id: number): Fd {
  const attribute = attributeOf(TYPE_TRACEPOINT, BigInt(id));
  // One sample for each event, and a wake-up for each, as BPF programs want it.
  attribute.writeBigUInt64LE(1n, 16);
  attribute.writeUInt32LE(1, 48);
  return open(attribute, -1, 0, "tracepoint");
}

/** A probe: at a function of the kernel or an offset of a file, at the entry or the return. */
export interface ProbeEvent {
  readonly source: "kprobe" | "uprobe";
  /** The kernel's function, or the file's path. */
  readonly name: string;
  /** Bytes. */
  readonly offset: number;
  readonly returns: boolean;
  /** Only in this process. */
  readonly pid?: number;
}

/** Where the kernel tells the number of a source of events; undefined when it has none of that name. */
function sourceType(source: string): number | undefined {
  try {
    return Number(readFileSync(`/sys/bus/event_source/devices/${source}/type`, "latin1"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function returnBit(source: string): bigint {
  const text = readFileSync(`/sys/bus/event_source/devices/${source}/format/retprobe`, "latin1");
  return 1n << BigInt(/config:(\d+)/.exec(text)?.[1] ?? 0);
}

const OPTIONS = { kprobe: "CONFIG_KPROBE_EVENTS", uprobe: "CONFIG_UPROBE_EVENTS" } as const;

/** Opens a probe's event. @throws SystemError; SluiceError FEATURE_MISSING */
export function openProbeEvent({ source, name, offset, returns, pid }: ProbeEvent): Fd {
  const type = sourceType(source);
  if (type === undefined)
    throw sluiceError("FEATURE_MISSING", {
      what: `${source}s`,
      reason: `it has no ${source}s`,
      remedy: `Use a kernel built with ${OPTIONS[source]}`,
    });
  const attribute = attributeOf(type, returns ? returnBit(source) : 0n);
  const text = Buffer.from(`${name}\0`);
  attribute.writeBigUInt64LE(addressOf(text), 56);
  attribute.writeBigUInt64LE(BigInt(offset), 64);
  return open(attribute, pid ?? -1, pid === undefined ? 0 : -1, `${source} ${name}`);
}
