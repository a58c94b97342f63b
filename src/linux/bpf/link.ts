/** Links: what attaches a program, as an object of its own, which can be pinned and given another program. */
import { sluiceError } from "../../core/errors.ts";
import { ERRNO, SystemError } from "../errno.ts";
import { kernelAtLeast, tcxFeature } from "../features.ts";
import { Fd } from "../fd.ts";
import { addressOf } from "../ffi.ts";
import { ATTACH_TYPE } from "./program.ts";
import { BpfAttribute, bpf, bpfError, tryBpf } from "./syscall.ts";

/** Kinds of links by the kernel's names (enum bpf_link_type). */
export const LINK_TYPE = { TRACING: 2, XDP: 6, PERF_EVENT: 7, TCX: 11 } as const;

/** Flags of an XDP link: in the network stack, in the driver (linux/if_link.h). */
export const XDP_FLAGS = { SKB: 2, DRV: 4 } as const;

/** What the kernel tells of a link. */
export interface LinkInfo {
  readonly id: number;
  /** One of {@link LINK_TYPE}, or another. */
  readonly type: number;
  readonly programId: number;
  /** Of XDP and TCX links; 0 when the interface is gone, or the link was detached. */
  readonly ifindex?: number;
}

const INFO_SIZE = 64;

/** Describes a link. @throws SystemError */
export function linkInfo(link: Fd | number): LinkInfo {
  const info = Buffer.alloc(INFO_SIZE);
  const fd = typeof link === "number" ? link : link.number;
  bpf("OBJ_GET_INFO_BY_FD", new BpfAttribute().u32(0, fd).u32(4, info.length).u64(8, addressOf(info)));
  const base = { type: info.readUInt32LE(0), id: info.readUInt32LE(4), programId: info.readUInt32LE(8) };
  const network = base.type === LINK_TYPE.XDP || base.type === LINK_TYPE.TCX;
  return network ? { ...base, ifindex: info.readUInt32LE(16) } : base;
}

/** Opens a link by its id; undefined when it is gone. @throws SystemError */
export function openLinkById(id: number): Fd | undefined {
  const result = tryBpf("LINK_GET_FD_BY_ID", new BpfAttribute().u32(0, id));
  if (result === -ERRNO.ENOENT || result === -ERRNO.EAGAIN) return undefined;
  if (result < 0) throw bpfError("LINK_GET_FD_BY_ID", -result, String(id));
  return new Fd(result);
}

const create = (attribute: BpfAttribute, what: string): Fd => new Fd(bpf("LINK_CREATE", attribute, what));
const base = (program: Fd, target: number, attachType: number, flags = 0): BpfAttribute =>
  new BpfAttribute().u32(0, program.number).u32(4, target).u32(8, attachType).u32(12, flags);

/**
 * Attaches an XDP program to an interface of this thread's network namespace.
 *
 * @param flags of {@link XDP_FLAGS}; 0 lets the kernel choose
 * @throws SystemError EBUSY or EEXIST when another program is attached
 */
export const createXdpLink = (program: Fd, ifindex: number, flags: number): Fd =>
  create(base(program, ifindex, ATTACH_TYPE.XDP, flags), "xdp");

/** Makes a link of a kind that a kernel may not know: EINVAL is its way to say so, and has other meanings besides. */
function known(make: () => Fd, what: string, hasIt: () => boolean, remedy: string): Fd {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== ERRNO.EINVAL || hasIt()) throw error;
    const reason = "it does not know this kind of link (EINVAL)";
    throw sluiceError("FEATURE_MISSING", { what, reason, remedy }, { cause: error });
  }
}

/** Where in a chain of TCX programs a new one goes. */
export type TcxAnchor =
  | { readonly kind: "head" | "tail" }
  | { readonly kind: "before" | "after"; readonly programId: number };

const BPF_F_BEFORE = 8;
const BPF_F_AFTER = 16;
const BPF_F_ID = 32;

/**
 * Attaches a program to a side of an interface of this thread's network namespace by TCX (Linux 6.6).
 *
 * @throws SluiceError FEATURE_MISSING without TCX; SystemError EEXIST when the program is there already, ENOENT for an anchor that is gone
 */
export function createTcxLink(program: Fd, ifindex: number, side: "ingress" | "egress", anchor: TcxAnchor): Fd {
  const type = side === "ingress" ? ATTACH_TYPE.TCX_INGRESS : ATTACH_TYPE.TCX_EGRESS;
  const order = anchor.kind === "head" || anchor.kind === "before" ? BPF_F_BEFORE : BPF_F_AFTER;
  const attribute =
    "programId" in anchor
      ? base(program, ifindex, type, order | BPF_F_ID).u32(16, anchor.programId)
      : base(program, ifindex, type, order);
  const hasTcx = (): boolean => tcxFeature.probe().state === "present";
  return known(() => create(attribute, "tcx"), "TCX", hasTcx, "Use Linux 6.6 or newer, or clsact instead");
}

/** Puts an extension in the place of a function of another program. @throws SystemError */
export const createFreplaceLink = (program: Fd, target: Fd, btfId: number): Fd =>
  create(base(program, target.number, 0).u32(16, btfId), "freplace");

/** Attaches a program to a perf event. @throws SluiceError FEATURE_MISSING before Linux 5.15; SystemError */
export function createPerfLink(program: Fd, event: Fd): Fd {
  const make = (): Fd => create(base(program, event.number, ATTACH_TYPE.PERF_EVENT), "perf_event");
  return known(make, "A link to a perf event", () => kernelAtLeast("5.15"), "Use Linux 5.15 or newer");
}

/** Attaches a tracing program to what it was loaded for. @throws SystemError */
export const createTracingLink = (program: Fd, side: "entry" | "exit"): Fd =>
  create(base(program, 0, side === "entry" ? ATTACH_TYPE.TRACE_FENTRY : ATTACH_TYPE.TRACE_FEXIT), "tracing");

const BPF_F_REPLACE = 4;

/** Puts another program into a link, if it runs the expected one. @throws SystemError EPERM when it runs another one */
export function updateLink(link: Fd, program: Fd, expected: Fd): void {
  const attribute = new BpfAttribute()
    .u32(0, link.number)
    .u32(4, program.number)
    .u32(8, BPF_F_REPLACE)
    .u32(12, expected.number);
  bpf("LINK_UPDATE", attribute);
}

/** Detaches by force; false for kinds that end only when their last holder closes them. @throws SystemError */
export function detachLink(link: Fd): boolean {
  const result = tryBpf("LINK_DETACH", new BpfAttribute().u32(0, link.number));
  if (result === -ERRNO.EOPNOTSUPP) return false;
  if (result < 0) throw bpfError("LINK_DETACH", -result);
  return true;
}
