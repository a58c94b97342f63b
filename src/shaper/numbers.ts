/**
 * The 16-bit numbers of which class ids and qdisc handles are made, and which of them are taken for what.
 *
 * A circuit or node has one number for life: `n` is the minor of its class in whichever HTB it lives in, and `n:` the
 * handle of its leaf qdisc. Numbers are unique per device, because handles are.
 *
 * The kernel finds a qdisc by its handle in a hash of only 16 buckets per device (net/sched/sch_api.c, qdisc_lookup;
 * hash_32 of `major << 16`), so with N leaves each look-up walks N/16 of them, and every message about a class starts
 * with a look-up of its HTB. Therefore the HTBs have a bucket to themselves: their majors are the numbers that fall into
 * bucket 8 (1 is the first), and leaves never take one of these. A class change then costs the same with 50,000 leaves
 * as with none. Bucket 0 would not do: qdiscs without a handle stand there.
 */

const HTB_BUCKET = 8;

/** The bucket of a qdisc handle `number:` in the kernel's per-device hash (GOLDEN_RATIO_32, top 4 of 32 bits). */
export const bucketOf = (number: number): number => ((number * 0x8647) & 0xffff) >>> 12;

/** Handle major of the mq root. */
export const MQ_NUMBER = 0x7fff;
/** Minor of an HTB's root class: the link. */
export const ROOT_MINOR = 1;
/** Minor of an HTB's default class: hosts that no circuit claims. */
export const DEFAULT_MINOR = 2;
/** On a stick, upload's numbers are download's with this bit set; both directions share the device. */
export const UPLOAD_BIT = 0x8000;
/** More transmit queues than this are not used. */
export const MAX_QUEUES = 256;
/** HTBs carry this r2q as the mark that sluice made them. No class of ours uses r2q: each states its quantum. */
export const HTB_MARK = 0x534c;

const FIRST = 0x400;
const LAST = 0xfffe;
const LAST_ON_STICK = 0x7ffe;

const numbers = (from: number, to: number, keep: (n: number) => boolean): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((n) => n !== MQ_NUMBER && keep(n));

const HTB_MAJORS = numbers(1, LAST, (n) => bucketOf(n) === HTB_BUCKET).slice(0, 2 * MAX_QUEUES);
const INFRASTRUCTURE = numbers(3, FIRST - 1, (n) => bucketOf(n) !== HTB_BUCKET);

/** Handle major of the HTB on the transmit queue of this index (from 0). */
export const htbMajor = (queue: number): number => HTB_MAJORS[queue]!;

/** Handle major of the leaf of a default class; `index` counts default classes on the device from 0. */
export const defaultLeafMajor = (index: number): number => INFRASTRUCTURE[index]!;

/** Numbers to give out, in the order of preference. */
export interface NumberPools {
  /** For what needs a leaf handle. */
  readonly leaf: readonly number[];
  /** For what needs only a class minor: first those that no leaf may have. */
  readonly inner: readonly number[];
  /** The highest of them. */
  readonly last: number;
}

function poolsFor(last: number, spared: readonly number[]): NumberPools {
  const leaf = numbers(FIRST, last, (n) => !spared.includes(bucketOf(n)));
  return { leaf, inner: [...numbers(FIRST, last, (n) => spared.includes(bucketOf(n))), ...leaf], last };
}

const BRIDGE_POOLS = poolsFor(LAST, [HTB_BUCKET]);
/** Upload's handles, with their high bit set, fall eight buckets further on: both buckets are spared. */
const STICK_POOLS = poolsFor(LAST_ON_STICK, [HTB_BUCKET, (HTB_BUCKET + 8) % 16]);

/** The numbers for circuits and nodes of a link of this kind. */
export const poolsOf = (link: "bridge" | "stick"): NumberPools => (link === "stick" ? STICK_POOLS : BRIDGE_POOLS);
