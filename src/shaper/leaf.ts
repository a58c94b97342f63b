/** Which qdisc stands at the end of a circuit's class. */
import { type Problem, problem } from "../core/errors.ts";
import type { Cake, Fifo, FqCodel } from "../core/tc/qdisc.ts";
import { type BitsPerSecond, type Bytes, bytes, type Microseconds, microseconds } from "../core/units.ts";
import type { LeafChoice, LeafKind, LeafOverride, ShaperConfig } from "./model.ts";

/** A leaf qdisc, or `none` for a bare class (HTB then queues packets by itself). */
export type Leaf = Cake | FqCodel | Fifo | "none";

/** Kernel memory of one instance, for the budget: measured on Linux 6.1 (CAKE's 8 tins of 1,024 queues each). */
export const LEAF_MEMORY: Readonly<Record<LeafKind, Bytes>> = {
  cake: bytes(1060 * 1024),
  fq_codel: bytes(74 * 1024),
  bfifo: bytes(1024),
};

/**
 * CAKE's `rtt` below rates at which a full packet takes longer than the 5 ms target of the default 100 ms: without it,
 * CAKE drops from queues of two packets. Upper bounds in Mbit/s.
 */
const LOW_RATE_RTT: readonly (readonly [megabits: number, rtt: Microseconds])[] = [
  [1.5, microseconds(300_000)],
  [2.5, microseconds(180_000)],
  [3.5, microseconds(140_000)],
  [4.5, microseconds(120_000)],
];

const withRtt = (cake: Cake, rate: BitsPerSecond): Cake => {
  const low = LOW_RATE_RTT.find(([limit]) => rate <= limit * 1e6);
  return low && cake.rtt === undefined ? { ...cake, rtt: low[1] } : cake;
};

/** The kernel keeps a fifo's limit in 32 bits: 100 ms of 343 Gbit/s. */
const MAX_FIFO = 2 ** 32 - 1;

/** 100 ms at the class's ceiling, at least a window of full packets: what a plain queue needs for one TCP flow. */
const fifoFor = (rate: BitsPerSecond): Fifo => ({
  kind: "bfifo",
  limit: Math.min(Math.max(48 * 1024, Math.round(rate / 80)), MAX_FIFO),
});

const DEFAULT_CAKE: Cake = { kind: "cake", diffserv: "diffserv4" };
const DEFAULT_FQ_CODEL: FqCodel = { kind: "fq_codel" };

/** What the configuration's leaf comes to on this kernel. */
export type LeafBase = Cake | FqCodel | "fifo" | "none";

/** Finds out what the configured leaf is on a kernel with these qdiscs; `auto` takes the best there is and says so. */
export function resolveLeaf(choice: LeafChoice, kinds: ReadonlySet<LeafKind>): { base: LeafBase; problems: Problem[] } {
  if (choice.kind === "none" || choice.kind === "fifo") return { base: choice.kind, problems: [] };
  if (choice.kind !== "auto") return { base: choice, problems: lacking(choice.kind, kinds) };
  if (kinds.has("cake")) return { base: DEFAULT_CAKE, problems: [] };
  const base = kinds.has("fq_codel") ? DEFAULT_FQ_CODEL : "fifo";
  const used = base === "fifo" ? "plain fifo queues" : "fq_codel";
  const missing = base === "fifo" ? "neither sch_cake nor sch_fq_codel" : "no sch_cake";
  return { base, problems: [problem("SHAPER_LEAF_FALLBACK", { missing, used })] };
}

/** The error for an explicitly wished leaf that the kernel lacks. */
export function lacking(kind: "cake" | "fq_codel", kinds: ReadonlySet<LeafKind>): Problem[] {
  return kinds.has(kind) ? [] : [problem("SHAPER_LEAF_UNAVAILABLE", { leaf: kind })];
}

/** The leaf for one direction of a circuit with this ceiling. */
export function leafFor(
  base: LeafBase,
  override: LeafOverride | undefined,
  rate: BitsPerSecond,
  config: Pick<ShaperConfig, "fastRate">,
  kinds: ReadonlySet<LeafKind>,
): Leaf {
  const baseCake = typeof base === "object" && base.kind === "cake" ? base : undefined;
  switch (override) {
    case "none":
      return "none";
    case "fifo":
      return fifoFor(rate);
    case "fq_codel":
      return typeof base === "object" && base.kind === "fq_codel" ? base : DEFAULT_FQ_CODEL;
    case "cake":
      return withRtt(baseCake ?? DEFAULT_CAKE, rate);
    case undefined:
      break;
  }
  if (base === "none") return "none";
  if (base === "fifo") return fifoFor(rate);
  if (base.kind === "fq_codel") return base;
  const fast = config.fastRate > 0 && rate >= config.fastRate && kinds.has("fq_codel");
  return fast ? DEFAULT_FQ_CODEL : withRtt(base, rate);
}
