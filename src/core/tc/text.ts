/**
 * tc objects as the text of `tc`: what stands in one line of a `tc -batch` file, without the word `tc`. The same values
 * become netlink messages in `src/linux/netlink/tc`; tests hold both to the same bytes.
 */
import { bytes, formatRate, formatSize, formatTime } from "../units.ts";
import type { ClassAt, HtbClass } from "./class.ts";
import type { Framing } from "./framing.ts";
import { formatHandle, TC_ROOT } from "./handle.ts";
import type { Cake, FqCodel, Qdisc, QdiscAt, SeenQdisc, Tbf } from "./qdisc.ts";
import { stated, type Verb } from "./verb.ts";

export type { Verb } from "./verb.ts";

/** The words for an option that has a value; nothing for one that is left out. */
function option<T>(name: string, value: T | undefined, format: (value: T) => string = String): string[] {
  return value === undefined ? [] : [name, format(value)];
}

/** The word for an option that is a word itself; nothing for one that is left out. */
const word = (value: string | undefined): string[] => (value === undefined ? [] : [value]);

const flag = (value: boolean | undefined, yes: string, no: string): string[] =>
  word(value === undefined ? undefined : value ? yes : no);

function cakeOptions(q: Cake): string[] {
  return [
    ...(q.bandwidth === 0 ? ["unlimited"] : option("bandwidth", q.bandwidth, formatRate)),
    ...word(q.diffserv),
    ...word(q.flow),
    ...flag(q.nat, "nat", "nonat"),
    ...flag(q.wash, "wash", "nowash"),
    ...word(q.ackFilter),
    ...flag(q.splitGso, "split-gso", "no-split-gso"),
    ...flag(q.ingress, "ingress", "egress"),
    ...(q.autorateIngress ? ["autorate-ingress"] : []),
    ...option("rtt", q.rtt, formatTime),
    // `raw` takes everything about the link layer back, so it stands before what is to stay.
    ...(q.overhead === "raw" ? ["raw"] : []),
    ...word(q.atm),
    ...(q.overhead === "raw" ? [] : option("overhead", q.overhead)),
    ...option("mpu", q.mpu),
    ...option("memlimit", q.memlimit, formatSize),
    ...option("fwmark", q.fwmark, (mask) => `0x${mask.toString(16)}`),
  ];
}

function fqCodelOptions(q: FqCodel): string[] {
  return [
    ...option("limit", q.limit),
    ...option("flows", q.flows),
    ...option("target", q.target, formatTime),
    ...option("interval", q.interval, formatTime),
    ...option("quantum", q.quantum),
    ...flag(q.ecn, "ecn", "noecn"),
    ...option("memory_limit", q.memoryLimit, formatSize),
    ...option("drop_batch", q.dropBatch),
    ...option("ce_threshold", q.ceThreshold, formatTime),
  ];
}

function framingOptions(framing: Framing | undefined): string[] {
  if (!framing) return [];
  const { overhead, mpu, linklayer } = framing;
  return ["overhead", String(overhead), "mpu", String(mpu), "linklayer", linklayer];
}

function tbfOptions(q: Tbf): string[] {
  return [
    ...option("rate", q.rate, formatRate),
    ...option("burst", q.burst, formatSize),
    ...option("limit", q.limit, formatSize),
    ...option("peakrate", q.peakrate, formatRate),
    ...option("mtu", q.mtu, formatSize),
    ...framingOptions(q.framing),
  ];
}

/** The option words that follow the kind: `["diffserv4", "rtt", "50ms"]`. Only what the value states. */
function qdiscOptions(q: Qdisc): string[] {
  switch (q.kind) {
    case "cake":
      return cakeOptions(q);
    case "fq_codel":
      return fqCodelOptions(q);
    case "htb":
      // tc reads `default` as hex, whether 0x stands there or not.
      return ["default", `0x${q.default.toString(16)}`, ...option("r2q", q.r2q)];
    case "tbf":
      return tbfOptions(q);
    case "pfifo":
      return option("limit", q.limit);
    case "bfifo":
      return option("limit", bytes(q.limit), formatSize);
    case "mq":
    case "clsact":
    case "ingress":
      return [];
  }
}

/** A qdisc's kind and options as one text, `cake diffserv4 rtt 50ms`; `parseQdisc` reads it back. */
export const formatQdisc = (q: Qdisc): string => [q.kind, ...qdiscOptions(q)].join(" ");

/**
 * The line that does this to a qdisc: `qdisc add dev eth1 parent 7fff:1 handle 1: htb default 0x2`.
 *
 * @param partial a change states only what the value states, and the rest stays as it is
 */
export function qdiscCommand(verb: Verb, dev: string, at: QdiscAt<SeenQdisc>, partial = false): string {
  const head = `qdisc ${verb} dev ${dev}`;
  const qdisc = partial ? at.qdisc : stated(verb, at.qdisc);
  // Their place and handle are fixed; tc takes the kind for the place.
  if (qdisc.kind === "clsact" || qdisc.kind === "ingress") return `${head} ${qdisc.kind}`;
  const place = at.parent === TC_ROOT ? "root" : `parent ${formatHandle(at.parent)}`;
  // Handle 0 leaves the number to the kernel.
  const where = at.handle === 0 ? `${head} ${place}` : `${head} ${place} handle ${formatHandle(at.handle)}`;
  if (verb === "del") return where;
  return `${where} ${qdisc.kind === "other" ? qdisc.name : formatQdisc(qdisc)}`;
}

/** The option words of an HTB class, all of them. */
function classOptions(c: HtbClass): string[] {
  return [
    ...option("rate", c.rate, formatRate),
    ...option("ceil", c.ceil, formatRate),
    ...option("burst", c.burst, formatSize),
    ...option("cburst", c.cburst, formatSize),
    ...option("quantum", c.quantum),
    ...option("prio", c.prio),
    ...framingOptions(c.framing),
  ];
}

/** The line that does this to a class: `class add dev eth1 parent 1:1 classid 1:400 htb rate 2500kbit ...`. */
export function classCommand(verb: Verb, dev: string, at: ClassAt): string {
  const classid = formatHandle(at.classid);
  if (verb === "del") return `class del dev ${dev} classid ${classid}`;
  const place = `parent ${formatHandle(at.parent)} classid ${classid}`;
  return `class ${verb} dev ${dev} ${place} htb ${classOptions(at.htb).join(" ")}`;
}
