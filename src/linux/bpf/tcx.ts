/** The kernel's own chains of TC programs (TCX, Linux 6.6). */
import { ATTACH_TYPE } from "./program.ts";
import { BpfAttribute, bpf } from "./syscall.ts";

/** A program in a chain. */
export interface TcxEntry {
  readonly programId: number;
  /** 0 when it is attached without a link. */
  readonly linkId: number;
}

/** Far above the kernel's limit (64). */
const MAX = 128;

/** The programs on a side of an interface of this thread's network namespace, first to last. @throws SystemError */
export function queryTcx(ifindex: number, side: "ingress" | "egress"): TcxEntry[] {
  const programs = Buffer.alloc(4 * MAX);
  const links = Buffer.alloc(4 * MAX);
  const attribute = new BpfAttribute()
    .u32(0, ifindex)
    .u32(4, side === "ingress" ? ATTACH_TYPE.TCX_INGRESS : ATTACH_TYPE.TCX_EGRESS)
    .pointer(16, programs)
    .u32(24, MAX)
    .pointer(40, links);
  bpf("PROG_QUERY", attribute);
  return Array.from({ length: attribute.bytes.readUInt32LE(24) }, (_, i) => ({
    programId: programs.readUInt32LE(4 * i),
    linkId: links.readUInt32LE(4 * i),
  }));
}
