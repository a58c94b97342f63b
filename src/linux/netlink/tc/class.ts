/** HTB classes as RTM_*TCLASS messages. */
import type { ClassAt } from "../../../core/tc/class.ts";
import { type Handle, handle, major, TC_ROOT } from "../../../core/tc/handle.ts";
import type { Verb } from "../../../core/tc/verb.ts";
import { type MessageWriter, RTM } from "../message.ts";
import type { Messages } from "../reader.ts";
import { decodeHtbClass, encodeHtbClass } from "./htb.ts";
import {
  type Counters,
  type HtbCounters,
  NO_COUNTERS,
  NO_HTB_COUNTERS,
  readCounters,
  readHtbCounters,
} from "./stats.ts";
import {
  CLASS_FLAGS,
  type EncodeOptions,
  handleOf,
  ifindexOf,
  infoOf,
  parentOf,
  TCA,
  TCMSG_LENGTH,
  writeTcmsg,
} from "./tcmsg.ts";

/** Writes the message that does this to a class. */
export function encodeClass(
  writer: MessageWriter,
  verb: Verb,
  ifindex: number,
  at: ClassAt,
  options?: EncodeOptions,
): void {
  writer.begin(verb === "del" ? RTM.DELTCLASS : RTM.NEWTCLASS, CLASS_FLAGS[verb]);
  writeTcmsg(writer, ifindex, at.classid, verb === "del" ? 0 : at.parent);
  if (verb !== "del") {
    writer.string(TCA.KIND, "htb");
    encodeHtbClass(writer, at.htb, options);
  }
  writer.end();
}

/** An HTB class as a dump shows it. */
export interface ClassRecord {
  readonly ifindex: number;
  readonly at: ClassAt;
  /** Handle of its leaf qdisc; 0 for an inner class, and for the fifo that the kernel gives by itself. */
  readonly leaf: Handle;
  readonly stats: Counters;
  readonly htb: HtbCounters;
}

/** The parent as a request states it: a dump shows "root" for the classes that hang on the HTB itself. */
function parentIn(message: Messages): Handle {
  const parent = parentOf(message);
  return parent === TC_ROOT ? handle(major(handleOf(message))) : parent;
}

/** Reads the RTM_NEWTCLASS the cursor is at; undefined when it is no class of HTB. */
export function decodeClass(message: Messages): ClassRecord | undefined {
  const a = message.attributes(TCMSG_LENGTH);
  let at: ClassAt | undefined;
  let stats = NO_COUNTERS;
  let htb = NO_HTB_COUNTERS;
  while (a.next()) {
    // The kernel writes the kind first: net/sched/sch_api.c, tc_fill_tclass().
    if (a.type === TCA.KIND && !a.is("htb")) return undefined;
    if (a.type === TCA.OPTIONS)
      at = { classid: handleOf(message), parent: parentIn(message), htb: decodeHtbClass(a.nested()) };
    else if (a.type === TCA.STATS2) {
      stats = readCounters(a.nested());
      htb = readHtbCounters(a.nested());
    }
  }
  return at && { ifindex: ifindexOf(message), at, leaf: infoOf(message) as Handle, stats, htb };
}
