/** BPF_PROG_TEST_RUN: runs a traffic-control program on a packet without a network. */
import type { Fd } from "../fd.ts";
import { BpfAttribute, bpf } from "./syscall.ts";

/** Bytes of `struct __sk_buff` (kernels take shorter and longer ones), and where the fields used here stand in it. */
const CONTEXT_SIZE = 192;
const PRIORITY = 32;

/** How to run it. */
export interface TestRun {
  /** The frame from its Ethernet header on: 14 bytes at least. */
  readonly frame: Uint8Array;
  /** The packet's priority before the run. Default 0. */
  readonly priority?: number;
  /** Runs one after the other; the packet keeps what the run before wrote to it. Default 1. */
  readonly repeat?: number;
}

/** What came of it. */
export interface TestRunResult {
  /** The program's return value, signed. */
  readonly verdict: number;
  /** The packet's priority after the run. */
  readonly priority: number;
  /** Average time of one run. */
  readonly nanoseconds: number;
}

/** Runs a program of type SCHED_CLS. The kernel reports no queue mapping. @throws SystemError EINVAL for short frames */
export function testRun(program: Fd | number, run: TestRun): TestRunResult {
  const before = Buffer.alloc(CONTEXT_SIZE);
  const after = Buffer.alloc(CONTEXT_SIZE);
  before.writeUInt32LE(run.priority ?? 0, PRIORITY);
  const attribute = new BpfAttribute()
    .u32(0, typeof program === "number" ? program : program.number)
    .u32(8, run.frame.length)
    .pointer(16, run.frame)
    .u32(32, run.repeat ?? 1)
    .u32(40, before.length)
    .u32(44, after.length)
    .pointer(48, before)
    .pointer(56, after);
  bpf("PROG_TEST_RUN", attribute);
  return {
    verdict: attribute.bytes.readInt32LE(4),
    priority: after.readUInt32LE(PRIORITY),
    nanoseconds: attribute.bytes.readUInt32LE(36),
  };
}

/**
 * Runs a program of any type that takes packets, XDP among them, and tells only its verdict and time.
 *
 * @throws SystemError EINVAL for short frames
 */
export function testRunBare(
  program: Fd,
  frame: Uint8Array,
  repeat: number,
): Pick<TestRunResult, "verdict" | "nanoseconds"> {
  const out = Buffer.alloc(frame.length + 256);
  const attribute = new BpfAttribute()
    .u32(0, program.number)
    .u32(8, frame.length)
    .u32(12, out.length)
    .pointer(16, frame)
    .pointer(24, out)
    .u32(32, repeat);
  bpf("PROG_TEST_RUN", attribute);
  return { verdict: attribute.bytes.readInt32LE(4), nanoseconds: attribute.bytes.readUInt32LE(36) };
}
