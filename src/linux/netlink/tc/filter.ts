/** Filters as RTM_*TFILTER messages: sluice makes only those that run an eBPF program, but sees any. */
import { type Handle, handle } from "../../../core/tc/handle.ts";
import type { Verb } from "../../../core/tc/verb.ts";
import { type MessageWriter, RTM } from "../message.ts";
import type { Attributes, Messages } from "../reader.ts";
import { CLASS_FLAGS, handleOf, infoOf, parentOf, TCA, TCMSG_LENGTH, writeTcmsg } from "./tcmsg.ts";

const BPF = { CLASSID: 3, FD: 6, NAME: 7, FLAGS: 8, TAG: 10, ID: 11 } as const;
const DIRECT_ACTION = 1;

/** Every protocol, which is what a classifier looks at (linux/if_ether.h). */
const ETH_P_ALL = 3;

/** Where a filter is: the kernel knows it by these four together. */
export interface FilterPlace {
  /** TC_EGRESS, TC_INGRESS or a qdisc. */
  readonly parent: Handle;
  /** 1 is asked first. */
  readonly priority: number;
  /** Ethernet protocol number; ETH_P_ALL when left out. */
  readonly protocol?: number;
  readonly handle: number;
}

/** A filter that runs a program. */
export interface BpfFilter extends FilterPlace {
  /** The program's file descriptor. */
  readonly fd: number;
  /** Shown by tc. */
  readonly name: string;
  /** The program's result is the verdict, not a class. */
  readonly directAction: boolean;
  /** Major number of the classes that `tc_classid` names, when the filter is on an HTB; minor 0. */
  readonly classid?: Handle;
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8);
/** Priority and the protocol in network order, as tcm_info holds them. */
const infoFor = (at: FilterPlace): number => handle(at.priority, swap16(at.protocol ?? ETH_P_ALL));

/**
 * Writes the message that makes a filter or puts it in the place of the one that is there. Handle 0 lets the kernel choose
 * one.
 */
export function encodeFilter(
  writer: MessageWriter,
  verb: Exclude<Verb, "del">,
  ifindex: number,
  filter: BpfFilter,
): void {
  writer.begin(RTM.NEWTFILTER, CLASS_FLAGS[verb]);
  writeTcmsg(writer, ifindex, filter.handle, filter.parent, infoFor(filter));
  writer.string(TCA.KIND, "bpf");
  const options = writer.open(TCA.OPTIONS);
  if (filter.classid !== undefined) writer.u32(BPF.CLASSID, filter.classid);
  writer.u32(BPF.FD, filter.fd);
  writer.string(BPF.NAME, filter.name);
  if (filter.directAction) writer.u32(BPF.FLAGS, DIRECT_ACTION);
  writer.close(options);
  writer.end();
}

/** Writes the message that removes a filter that runs a program. */
export function encodeFilterDelete(writer: MessageWriter, ifindex: number, at: FilterPlace): void {
  writer.begin(RTM.DELTFILTER, CLASS_FLAGS.del);
  writeTcmsg(writer, ifindex, at.handle, at.parent, infoFor(at));
  writer.string(TCA.KIND, "bpf");
  writer.end();
}

/** A filter as a dump shows it. */
export interface FilterRecord extends Required<FilterPlace> {
  /** `bpf`, `u32`, ... */
  readonly kind: string;
  /** What is known of the program of a `bpf` filter. */
  readonly program?: {
    readonly name: string;
    /** The kernel's number for the program. */
    readonly id: number;
    /** Eight bytes in hex, the hash of its instructions. */
    readonly tag: string;
    readonly directAction: boolean;
  };
}

function decodeProgram(a: Attributes): NonNullable<FilterRecord["program"]> {
  let name = "";
  let id = 0;
  let tag = "";
  let directAction = false;
  while (a.next()) {
    if (a.type === BPF.NAME) name = a.string();
    else if (a.type === BPF.ID) id = a.u32();
    else if (a.type === BPF.TAG) tag = Buffer.from(a.bytes()).toString("hex");
    else if (a.type === BPF.FLAGS) directAction = (a.u32() & DIRECT_ACTION) !== 0;
  }
  return { name, id, tag, directAction };
}

/** Reads the RTM_NEWTFILTER the cursor is at; undefined for the rows without a handle that stand for a priority. */
export function decodeFilter(message: Messages): FilterRecord | undefined {
  const number = handleOf(message);
  if (number === 0) return undefined;
  let kind = "";
  let program: FilterRecord["program"];
  const a = message.attributes(TCMSG_LENGTH);
  while (a.next()) {
    if (a.type === TCA.KIND) kind = a.string();
    else if (a.type === TCA.OPTIONS && kind === "bpf") program = decodeProgram(a.nested());
  }
  const info = infoOf(message);
  const place = {
    kind,
    parent: parentOf(message),
    priority: info >>> 16,
    protocol: swap16(info & 0xffff),
    handle: number,
  };
  return program ? { ...place, program } : place;
}
