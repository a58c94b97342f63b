/**
 * Guarantees that can be kept. The rule, per direction:
 *
 * - A circuit *needs* its minimum, at least {@link RATE_FLOOR} (HTB knows no rate of 0), and is granted just that.
 * - A node needs the sum of what its circuits and children need, at least its own minimum and at least the floor.
 * - The needs directly below a parent must fit into what the parent may send: a node's ceiling, the link's rate less the
 *   share kept for unknown hosts. If they do not, `strict` refuses, and `scale` gives each its floor and of the rest the
 *   same fraction.
 * - What a parent has been granted beyond the needs below it is its nodes' to guarantee: half of it is shared among them
 *   by their ceilings, the other half stays for those to come. A node that was granted something earlier keeps it as long
 *   as it is enough and everything still fits, so that one circuit more or less does not change the nodes above it.
 *
 * The `rate` of every class is what it was granted, so the rates of siblings never add up to more than their parent's:
 * HTB's own condition for guarantees that hold (tc-htb(8)).
 */
import { type BitsPerSecond, bitsPerSecond, wholeBytesRate } from "../core/units.ts";

/** The least rate of a class. */
export const RATE_FLOOR = bitsPerSecond(1000);

/** What takes part: a circuit or a node. */
export interface Claim<T> {
  readonly owner: T;
  /** Nodes share what is spare, circuits do not. */
  readonly kind: "circuit" | "node";
  /** What the node was granted before, if anything. */
  readonly prior?: BitsPerSecond;
  /** What it states as its own minimum; 0 for none. */
  readonly minimum: BitsPerSecond;
  /** What it may send at most. */
  readonly ceil: BitsPerSecond;
  readonly children: readonly Claim<T>[];
}

/** What a claim was given. */
export interface Grant<T> {
  readonly owner: T;
  readonly rate: BitsPerSecond;
}

/** A parent whose children's needs do not fit. */
export interface Oversubscription<T> {
  /** Undefined for the link itself. */
  readonly parent: T | undefined;
  /** What they claim; of the hopeless, their floors. */
  readonly sum: BitsPerSecond;
  readonly ceil: BitsPerSecond;
  /** Whether not even the floors fit, which scaling cannot mend. */
  readonly hopeless: boolean;
}

interface Weighed<T> extends Claim<T> {
  readonly children: readonly Weighed<T>[];
  /** What it asks of its parent, even if its ceiling (cut by the parent's) is below its own minimum. */
  readonly claimed: number;
  /** What it can use of that: never above its ceiling. */
  readonly need: number;
  /** What it cannot do without: the floors of everything below it. */
  readonly floor: number;
}

const sum = <T>(claims: readonly Weighed<T>[], field: "claimed" | "need" | "floor"): number =>
  claims.reduce((total, claim) => total + claim[field], 0);

function weigh<T>(claim: Claim<T>): Weighed<T> {
  const children = claim.children.map((child) => weigh(child));
  const floor = Math.max(RATE_FLOOR, sum(children, "floor"));
  const ceil = wholeBytesRate(claim.ceil);
  const claimed = Math.max(wholeBytesRate(claim.minimum), Math.min(sum(children, "claimed"), ceil), floor);
  return { ...claim, children, claimed, need: Math.max(Math.min(claimed, ceil), floor), floor };
}

/** Room kept for nodes and circuits to come: this part of what is spare is not handed out. */
const SPARE_SHARED = 0.5;

/** Too little for all: each gets its floor, and the same fraction of the rest. */
function scaled<T>(children: readonly Weighed<T>[], granted: number): number[] {
  const floor = sum(children, "floor");
  const fraction = Math.max(0, granted - floor) / (sum(children, "need") - floor);
  return children.map((child) => child.floor + (child.need - child.floor) * fraction);
}

/** Enough for all: circuits get what they need, nodes keep what they had or get a share of what is spare. */
function shared<T>(children: readonly Weighed<T>[], granted: number, keep: boolean): number[] {
  const base = children.map((child) => {
    const kept = keep && child.prior !== undefined && child.prior >= child.need && child.prior <= child.ceil;
    return { child, kept, rate: kept ? child.prior : child.need };
  });
  const spare = granted - base.reduce((total, { rate }) => total + rate, 0);
  if (spare < 0) return shared(children, granted, false);
  const weight = children.reduce((total, { kind, ceil }) => total + (kind === "node" ? ceil : 0), 0);
  return base.map(({ child, kept, rate }) => {
    if (kept || child.kind === "circuit") return rate;
    return Math.min(rate + spare * SPARE_SHARED * (child.ceil / weight), Math.max(child.ceil, rate));
  });
}

/**
 * Grants every claim below a link its rate.
 *
 * @param available what the link can give to all of them together
 * @returns the grants, and where the needs did not fit (empty when every guarantee is kept in full); with something
 *   hopeless the grants must not be used
 */
export function grantMinimums<T>(
  claims: readonly Claim<T>[],
  available: BitsPerSecond,
): { grants: Grant<T>[]; oversubscribed: Oversubscription<T>[] } {
  const grants: Grant<T>[] = [];
  const oversubscribed: Oversubscription<T>[] = [];

  const share = (parent: T | undefined, children: readonly Weighed<T>[], capacity: number, granted: number): void => {
    const claimed = sum(children, "claimed");
    if (claimed > capacity) {
      const floors = sum(children, "floor");
      const hopeless = floors > capacity;
      const wanted = bitsPerSecond(hopeless ? floors : claimed);
      oversubscribed.push({ parent, sum: wanted, ceil: bitsPerSecond(capacity), hopeless });
    }
    const rates = sum(children, "need") > granted ? scaled(children, granted) : shared(children, granted, true);
    for (const [i, child] of children.entries()) {
      const rate = wholeBytesRate(bitsPerSecond(rates[i]!));
      grants.push({ owner: child.owner, rate });
      share(child.owner, child.children, child.ceil, rate);
    }
  };

  const top = claims.map((claim) => weigh(claim));
  share(undefined, top, available, available);
  return { grants, oversubscribed };
}
