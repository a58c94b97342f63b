/** Qdiscs as RTM_*QDISC messages. */
import type { Qdisc, QdiscAt, SeenQdisc } from "../../../core/tc/qdisc.ts";
import { stated, type Verb } from "../../../core/tc/verb.ts";
import { type MessageWriter, RTM } from "../message.ts";
import type { Attributes, Messages } from "../reader.ts";
import { decodeCake, encodeCake } from "./cake.ts";
import { type CakeStats, decodeCakeStats } from "./cake-stats.ts";
import { decodeFqCodel, encodeFqCodel } from "./fq-codel.ts";
import { decodeHtb, encodeHtb } from "./htb.ts";
import { type Counters, NO_COUNTERS, readCounters, STATS } from "./stats.ts";
import { decodeTbf, encodeTbf } from "./tbf.ts";
import {
  type EncodeOptions,
  handleOf,
  ifindexOf,
  infoOf,
  parentOf,
  QDISC_FLAGS,
  TCA,
  TCMSG_LENGTH,
  writeTcmsg,
} from "./tcmsg.ts";

const CLSACT_HANDLE = 0xffff0000;

function encodeQdiscOptions(writer: MessageWriter, q: Qdisc, options: EncodeOptions | undefined): void {
  switch (q.kind) {
    case "cake":
      return encodeCake(writer, q);
    case "fq_codel":
      return encodeFqCodel(writer, q);
    case "htb":
      return encodeHtb(writer, q);
    case "tbf":
      return encodeTbf(writer, q, options);
    case "pfifo":
    case "bfifo":
      return writer.u32(TCA.OPTIONS, q.limit);
    case "mq":
    case "clsact":
    case "ingress":
  }
}

/**
 * Writes the message that does this to a qdisc. Changes and replacements state every option, so that none lingers, unless
 * they are to be partial.
 *
 * @throws TypeError when a kind that is not modelled shall be made or changed
 */
export function encodeQdisc(
  writer: MessageWriter,
  verb: Verb,
  ifindex: number,
  at: QdiscAt<SeenQdisc>,
  options?: EncodeOptions,
): void {
  const qdisc = options?.partial ? at.qdisc : stated(verb, at.qdisc);
  if (qdisc.kind === "other" && verb !== "del")
    throw new TypeError(`Cannot encode ${verb} of a "${qdisc.name}" qdisc: its options are not modelled`);
  const hooks = qdisc.kind === "clsact" || qdisc.kind === "ingress";
  writer.begin(verb === "del" ? RTM.DELQDISC : RTM.NEWQDISC, QDISC_FLAGS[verb]);
  writeTcmsg(writer, ifindex, hooks ? CLSACT_HANDLE : at.handle, at.parent);
  if (hooks || verb !== "del") writer.string(TCA.KIND, qdisc.kind);
  if (verb !== "del" && qdisc.kind !== "other") encodeQdiscOptions(writer, qdisc, options);
  writer.end();
}

/** A qdisc as a dump shows it. */
export interface QdiscRecord {
  readonly ifindex: number;
  readonly at: QdiscAt<SeenQdisc>;
  /** References to it; a qdisc that the kernel made by itself has handle 0. */
  readonly references: number;
  readonly stats: Counters;
  /** CAKE's own statistics, when they were asked for. */
  readonly cake?: CakeStats;
}

function decodeQdiscOptions(kind: string, a: Attributes | undefined): SeenQdisc {
  switch (kind) {
    case "cake":
      return decodeCake(a?.nested());
    case "fq_codel":
      return decodeFqCodel(a?.nested());
    case "htb":
      return decodeHtb(a?.nested());
    case "tbf":
      return decodeTbf(a?.nested());
    case "pfifo":
    case "bfifo":
      return { kind, limit: a?.u32() ?? 0 };
    case "mq":
    case "clsact":
    case "ingress":
      return { kind };
    default:
      return { kind: "other", name: kind };
  }
}

/** What of a qdisc's message is decoded. */
export interface QdiscDetails {
  /** CAKE's statistics with its tins: some microseconds per qdisc, worth leaving out of dumps of thousands. */
  readonly cakeStats?: boolean;
}

/** Reads the RTM_NEWQDISC the cursor is at. */
export function decodeQdisc(message: Messages, details: QdiscDetails = {}): QdiscRecord {
  let kind = "";
  let qdisc: SeenQdisc | undefined;
  let stats = NO_COUNTERS;
  let cake: CakeStats | undefined;
  // The kernel writes the kind first: net/sched/sch_api.c, tc_fill_qdisc().
  const a = message.attributes(TCMSG_LENGTH);
  while (a.next()) {
    if (a.type === TCA.KIND) kind = a.string();
    else if (a.type === TCA.OPTIONS) qdisc = decodeQdiscOptions(kind, a);
    else if (a.type === TCA.STATS2) {
      stats = readCounters(a.nested());
      if (details.cakeStats && kind === "cake") {
        const inner = a.nested();
        while (inner.next()) if (inner.type === STATS.APP) cake = decodeCakeStats(inner.nested());
      }
    }
  }
  const at = {
    handle: handleOf(message),
    parent: parentOf(message),
    qdisc: qdisc ?? decodeQdiscOptions(kind, undefined),
  };
  const record = { ifindex: ifindexOf(message), at, references: infoOf(message), stats };
  return cake ? { ...record, cake } : record;
}
