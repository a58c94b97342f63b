/** Loading programs from instructions, without an object file (BPF_PROG_LOAD). */
import { ERRNO } from "../errno.ts";
import { Fd } from "../fd.ts";
import { BpfLoadError } from "./object.ts";
import { BpfAttribute, bpf, tryBpf } from "./syscall.ts";

/** Program types by the kernel's names (enum bpf_prog_type). */
export const PROGRAM_TYPE = {
  SOCKET_FILTER: 1,
  KPROBE: 2,
  SCHED_CLS: 3,
  TRACEPOINT: 5,
  XDP: 6,
  TRACING: 26,
  EXT: 28,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  1: "socket_filter",
  2: "kprobe",
  3: "sched_cls",
  4: "sched_act",
  5: "tracepoint",
  6: "xdp",
  7: "perf_event",
  8: "cgroup_skb",
  9: "cgroup_sock",
  13: "sock_ops",
  15: "cgroup_device",
  17: "raw_tracepoint",
  18: "cgroup_sock_addr",
  26: "tracing",
  27: "struct_ops",
  28: "extension",
  29: "lsm",
  30: "sk_lookup",
  31: "syscall",
};

/** The name of a program type; its number when it has none here. */
export const programTypeName = (type: number): string => NAMES[type] ?? `type ${type}`;

/** What a program says it will be attached by (enum bpf_attach_type). */
export const ATTACH_TYPE = {
  TRACE_FENTRY: 24,
  TRACE_FEXIT: 25,
  XDP: 37,
  PERF_EVENT: 41,
  TCX_INGRESS: 46,
  TCX_EGRESS: 47,
} as const;

/** An XDP program that takes packets in several buffers. */
export const FLAG_XDP_HAS_FRAGS = 1 << 5;

/** Bytes of one record of function types: index of the first instruction, BTF type. */
const FUNC_INFO = 8;
const LOG_SIZE = 2 ** 20;

/** A program to be loaded. */
export interface ProgramSpec {
  /** One of {@link PROGRAM_TYPE}. */
  readonly type: number;
  /** One of {@link ATTACH_TYPE}; 0 when left out. */
  readonly expectedAttachType?: number;
  /** The kernel keeps 15 characters. */
  readonly name: string;
  /** Instructions of 8 bytes. */
  readonly code: Uint8Array;
  readonly license: string;
  readonly flags?: number;
  /** Types of its functions: {@link FUNC_INFO} bytes for each. */
  readonly btf?: { readonly fd: Fd; readonly funcInfo: Uint8Array };
  /** The function of another program that it is to replace (EXT). */
  readonly extends?: { readonly program: Fd; readonly btfId: number };
}

function attributeOf(spec: ProgramSpec): BpfAttribute {
  const attribute = new BpfAttribute()
    .u32(0, spec.type)
    .u32(4, spec.code.length / 8)
    .pointer(8, spec.code)
    .text(16, spec.license)
    .u32(44, spec.flags ?? 0)
    .name(48, spec.name)
    .u32(68, spec.expectedAttachType ?? 0);
  if (spec.btf)
    attribute
      .u32(72, spec.btf.fd.number)
      .u32(76, FUNC_INFO)
      .pointer(80, spec.btf.funcInfo)
      .u32(88, spec.btf.funcInfo.length / FUNC_INFO);
  if (spec.extends) attribute.u32(108, spec.extends.btfId).u32(112, spec.extends.program.number);
  return attribute;
}

/** Loads it; a refusal is asked for again with the verifier's log. @throws BpfLoadError */
export function loadProgram(spec: ProgramSpec): Fd {
  const first = tryBpf("PROG_LOAD", attributeOf(spec));
  if (first >= 0) return new Fd(first);
  const log = Buffer.alloc(LOG_SIZE);
  const again = tryBpf("PROG_LOAD", attributeOf(spec).u32(24, 1).u32(28, log.length).pointer(32, log));
  if (again >= 0) return new Fd(again);
  // The log of a program that fills it is cut off, with its own error in place of the reason.
  const number = again === -ERRNO.ENOSPC ? -first : -again;
  throw new BpfLoadError(spec.name, number, [], log.toString("utf8").replace(/\0.*$/s, "").trimEnd());
}

/** Keeps a map alive as long as a program, and shows it as the program's. @throws SystemError */
export function bindMap(program: Fd, map: Fd): void {
  bpf("PROG_BIND_MAP", new BpfAttribute().u32(0, program.number).u32(4, map.number));
}
