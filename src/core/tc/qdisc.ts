/**
 * Qdiscs as typed values. An option left out is "the kernel's default"; {@link sameQdisc} knows those defaults, so a
 * wish and what a dump shows can be compared.
 */
import type { BitsPerSecond, Bytes, Microseconds } from "../units.ts";
import { type Framing, sameFraming } from "./framing.ts";
import type { Handle } from "./handle.ts";

/** One queue class per transmit queue of the device. */
export interface Mq {
  readonly kind: "mq";
}

/** Hierarchical token bucket; classes hang below it. */
export interface Htb {
  readonly kind: "htb";
  /** Minor of the class for packets that no filter and no priority claims. */
  readonly default: number;
  /** rate-to-quantum divisor; unused by classes that state their quantum. Kernel default 10. */
  readonly r2q?: number;
}

/** The diffserv modes of CAKE, in the kernel's numbering. */
export const CAKE_DIFFSERV = ["diffserv3", "diffserv4", "diffserv8", "besteffort", "precedence"] as const;
/** The flow isolation modes of CAKE, in the kernel's numbering. */
export const CAKE_FLOW = [
  "flowblind",
  "srchost",
  "dsthost",
  "hosts",
  "flows",
  "dual-srchost",
  "dual-dsthost",
  "triple-isolate",
] as const;
/** The ACK filter modes of CAKE, in the kernel's numbering. */
export const CAKE_ACK_FILTER = ["no-ack-filter", "ack-filter", "ack-filter-aggressive"] as const;
/** The link layer compensation modes of CAKE, in the kernel's numbering. */
export const CAKE_ATM = ["noatm", "atm", "ptm"] as const;

/** Common Applications Kept Enhanced: shaper, flow queueing and AQM in one (tc-cake(8)). */
export interface Cake {
  readonly kind: "cake";
  /** Absent: unlimited, as below an HTB class that does the shaping. */
  readonly bandwidth?: BitsPerSecond;
  readonly diffserv?: (typeof CAKE_DIFFSERV)[number];
  readonly flow?: (typeof CAKE_FLOW)[number];
  readonly rtt?: Microseconds;
  readonly ackFilter?: (typeof CAKE_ACK_FILTER)[number];
  readonly nat?: boolean;
  readonly wash?: boolean;
  readonly splitGso?: boolean;
  readonly ingress?: boolean;
  readonly autorateIngress?: boolean;
  readonly atm?: (typeof CAKE_ATM)[number];
  /** Bytes added to each packet, counted from its IP header; negative is possible. `raw`: the length that Linux sees. */
  readonly overhead?: number | "raw";
  readonly mpu?: Bytes;
  readonly memlimit?: Bytes;
  readonly fwmark?: number;
}

/** Fair queueing with controlled delay (tc-fq_codel(8)). */
export interface FqCodel {
  readonly kind: "fq_codel";
  /** Packets. */
  readonly limit?: number;
  readonly flows?: number;
  readonly target?: Microseconds;
  readonly interval?: Microseconds;
  /** Default: the device's MTU and header, so it compares equal to anything when left out. */
  readonly quantum?: Bytes;
  readonly ecn?: boolean;
  readonly memoryLimit?: Bytes;
  readonly dropBatch?: number;
  readonly ceThreshold?: Microseconds;
}

/** Packets in order, limited in number (pfifo) or bytes (bfifo). */
export interface Fifo {
  readonly kind: "pfifo" | "bfifo";
  /** Packets for pfifo, bytes for bfifo. */
  readonly limit: number;
}

/** Token bucket filter (tc-tbf(8)). */
export interface Tbf {
  readonly kind: "tbf";
  readonly rate: BitsPerSecond;
  readonly burst: Bytes;
  /** Bytes that may wait. */
  readonly limit: Bytes;
  readonly peakrate?: BitsPerSecond;
  /** Bucket of the peak rate: at least the MTU. Needed with peakrate. */
  readonly mtu?: Bytes;
  /** How lengths are reckoned, for both rates; absent: as they are. */
  readonly framing?: Framing;
}

/** Hooks for filters on both ways (clsact) or the way in only (ingress). */
export interface Clsact {
  readonly kind: "clsact" | "ingress";
}

/** A qdisc that sluice does not model: seen in dumps, never made. */
export interface OtherQdisc {
  readonly kind: "other";
  readonly name: string;
}

/** Any qdisc that sluice can make. */
export type Qdisc = Mq | Htb | Cake | FqCodel | Fifo | Tbf | Clsact;
/** Any qdisc a dump may show. */
export type SeenQdisc = Qdisc | OtherQdisc;

/** A qdisc with its place on a device. */
export interface QdiscAt<Q extends SeenQdisc = Qdisc> {
  readonly handle: Handle;
  readonly parent: Handle;
  readonly qdisc: Q;
}

const us = (value: number): Microseconds => value as Microseconds;

const CAKE_DEFAULTS = {
  bandwidth: 0,
  diffserv: "diffserv3",
  flow: "triple-isolate",
  rtt: us(100_000),
  ackFilter: "no-ack-filter",
  nat: false,
  wash: false,
  splitGso: true,
  ingress: false,
  autorateIngress: false,
  atm: "noatm",
  overhead: "raw",
  mpu: 0,
  memlimit: 0,
  fwmark: 0,
} as const;

const FQ_CODEL_DEFAULTS = {
  limit: 10_240,
  flows: 1024,
  target: us(5000),
  interval: us(100_000),
  ecn: true,
  memoryLimit: 32 * 2 ** 20,
  dropBatch: 64,
} as const;

const DEFAULTS: Readonly<Partial<Record<SeenQdisc["kind"], object>>> = {
  htb: { r2q: 10 },
  cake: CAKE_DEFAULTS,
  fq_codel: FQ_CODEL_DEFAULTS,
};

/** The qdisc with the kernel's defaults filled in, so that a change states every option and none lingers. */
export function withDefaults<Q extends SeenQdisc>(qdisc: Q): Q {
  return { ...DEFAULTS[qdisc.kind], ...qdisc };
}

const CODEL_TIMES: ReadonlySet<string> = new Set(["target", "interval", "ceThreshold"]);
const RATES: ReadonlySet<string> = new Set(["bandwidth", "rate", "peakrate"]);

/** What the kernel keeps of an option: rates in whole bytes per second, CoDel's times in units of 1.024 us. */
function kept(kind: SeenQdisc["kind"], key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  if (RATES.has(key)) return Math.floor(value / 8);
  if (kind === "fq_codel" && CODEL_TIMES.has(key)) return codelTime(value);
  return value;
}

/** A time as CoDel keeps it: nanoseconds shifted by 10 bits (CODEL_SHIFT, net/codel.h). */
const codelTime = (time: number): number => Math.floor((time * 1000) / 1024);

/** The smallest time of which CoDel shows this when it is dumped: it cuts twice, 5000 us come back as 4999. */
export const fromCodelTime = (shown: number): Microseconds =>
  us(Math.ceil((Math.ceil((shown * 1000) / 1024) * 1024) / 1000));

/** Whether two buckets are equal as far as a dump of TBF tells, which shows their time in ticks of 64 ns, rounded. */
function sameBucket(rate: number | undefined, a: number | undefined, b: number | undefined): boolean {
  if (rate === undefined || a === b) return true;
  if (a === undefined || b === undefined) return false;
  return Math.abs(a - b) <= Math.ceil((2 * 64 * rate) / 8 / 1e9);
}

/** Whether what a dump shows is what was wished: options the wish leaves out count with the kernel's default. */
export function sameQdisc(wish: Qdisc, seen: SeenQdisc): boolean {
  if (wish.kind !== seen.kind) return false;
  if (wish.kind === "tbf" && seen.kind === "tbf") {
    if (!sameFraming(wish.framing, seen.framing) || !sameBucket(wish.rate, wish.burst, seen.burst)) return false;
    if (!sameBucket(wish.peakrate, wish.mtu, seen.mtu)) return false;
    return (["rate", "peakrate", "limit"] as const).every(
      (key) => kept("tbf", key, wish[key]) === kept("tbf", key, seen[key]),
    );
  }
  const have = withDefaults(seen) as unknown as Record<string, unknown>;
  return Object.entries(withDefaults(wish)).every(
    ([key, value]) => value === undefined || kept(wish.kind, key, have[key]) === kept(wish.kind, key, value),
  );
}
