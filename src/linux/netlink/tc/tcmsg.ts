/** What all messages about qdiscs, classes and filters share: struct tcmsg and its attributes (linux/rtnetlink.h). */
import type { Handle } from "../../../core/tc/handle.ts";
import type { Verb } from "../../../core/tc/verb.ts";
import { FLAG, type MessageWriter } from "../message.ts";
import type { Messages } from "../reader.ts";

/** Bytes of struct tcmsg: u8 family and padding, s32 ifindex, u32 handle, u32 parent, u32 info. */
export const TCMSG_LENGTH = 20;

/** Attributes (TCA_*). */
export const TCA = { KIND: 1, OPTIONS: 2, STATS2: 7 } as const;

/** How a message is encoded. */
export interface EncodeOptions {
  /**
   * Adds the tables of transmission times that iproute2 sends (1 KiB per rate). Kernels ignore them, because the link layer
   * is stated as Ethernet; they are there to compare bytes.
   */
  readonly rateTables?: boolean;
  /** A change states only what the value states; of CAKE and fq_codel, what is left out then stays as it is. */
  readonly partial?: boolean;
}

/** Request flags of a verb for qdiscs. */
export const QDISC_FLAGS: Readonly<Record<Verb, number>> = {
  add: FLAG.REQUEST | FLAG.CREATE | FLAG.EXCL,
  change: FLAG.REQUEST,
  replace: FLAG.REQUEST | FLAG.CREATE | FLAG.REPLACE,
  del: FLAG.REQUEST,
};

/** Request flags of a verb for classes and filters, which know no NLM_F_REPLACE: they change what is there anyway. */
export const CLASS_FLAGS: Readonly<Record<Verb, number>> = { ...QDISC_FLAGS, replace: FLAG.REQUEST | FLAG.CREATE };

/** Writes a struct tcmsg. */
export function writeTcmsg(writer: MessageWriter, ifindex: number, handle: number, parent: number, info = 0): void {
  writer.fixedU32(0);
  writer.fixedU32(ifindex);
  writer.fixedU32(handle);
  writer.fixedU32(parent);
  writer.fixedU32(info);
}

/** The interface a message is about. */
export const ifindexOf = (message: Messages): number => message.i32(4);
/** The object's own handle. */
export const handleOf = (message: Messages): Handle => message.u32(8) as Handle;
/** What it hangs on. */
export const parentOf = (message: Messages): Handle => message.u32(12) as Handle;
/** Reference count of a qdisc, leaf qdisc of a class, priority and protocol of a filter. */
export const infoOf = (message: Messages): number => message.u32(16);

/** A struct tcmsg by itself, as the body of a dump request. */
export function tcmsg(ifindex: number, parent = 0): Uint8Array {
  const bytes = new Uint8Array(TCMSG_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, ifindex, true);
  view.setUint32(12, parent, true);
  return bytes;
}
