/** Statistics of qdiscs and classes (TCA_STATS2, linux/gen_stats.h). */
import type { Attributes } from "../reader.ts";

/** Parts of TCA_STATS2. */
export const STATS = { BASIC: 1, QUEUE: 3, APP: 4, PKT64: 8 } as const;

/** What every qdisc and class counts. */
export interface Counters {
  /** Sent. */
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
  /** Times a packet had to wait for its rate. */
  readonly overlimits: number;
  readonly requeues: number;
  /** Bytes waiting now. */
  readonly backlog: number;
  /** Packets waiting now. */
  readonly qlen: number;
}

/** Counters of something that has not counted anything. */
export const NO_COUNTERS: Counters = {
  bytes: 0,
  packets: 0,
  drops: 0,
  overlimits: 0,
  requeues: 0,
  backlog: 0,
  qlen: 0,
};

/** Reads the content of TCA_STATS2. */
export function readCounters(a: Attributes): Counters {
  let bytes = 0;
  let packets = 0;
  let qlen = 0;
  let backlog = 0;
  let drops = 0;
  let requeues = 0;
  let overlimits = 0;
  while (a.next()) {
    if (a.type === STATS.BASIC) {
      bytes = a.u64();
      packets = a.u32(8);
    } else if (a.type === STATS.QUEUE) {
      qlen = a.u32();
      backlog = a.u32(4);
      drops = a.u32(8);
      requeues = a.u32(12);
      overlimits = a.u32(16);
    } else if (a.type === STATS.PKT64) {
      // Stands after BASIC, and only when 32 bits are not enough.
      packets = a.u64();
    }
  }
  return { bytes, packets, drops, overlimits, requeues, backlog, qlen };
}

/** What an HTB class counts beside that. */
export interface HtbCounters {
  /** Packets sent at the class's own rate. */
  readonly lends: number;
  /** Packets sent with what an ancestor had left. */
  readonly borrows: number;
  /** Packets larger than the rate table covers; kernels since 3.8 count none. */
  readonly giants: number;
  /** Ticks of 64 ns left in the bucket of `rate`; negative in debt. */
  readonly tokens: number;
  /** The same of `ceil`. */
  readonly ctokens: number;
}

/** Counters of a class that shows none. */
export const NO_HTB_COUNTERS: HtbCounters = { lends: 0, borrows: 0, giants: 0, tokens: 0, ctokens: 0 };

/** Reads struct tc_htb_xstats from the TCA_STATS_APP in the content of TCA_STATS2. */
export function readHtbCounters(a: Attributes): HtbCounters {
  while (a.next()) {
    if (a.type === STATS.APP)
      return { lends: a.u32(), borrows: a.u32(4), giants: a.u32(8), tokens: a.i32(12), ctokens: a.i32(16) };
  }
  return NO_HTB_COUNTERS;
}
