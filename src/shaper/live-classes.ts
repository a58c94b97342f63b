/**
 * Classes at live rates, pure. A live rate holds instead of the planned one of a node: its ceiling is the live rate, and
 * its own rate no more than that. A ceiling alone would not hold: HTB lets a class send its own rate whatever its
 * ancestors may (net/sched/sch_htb.c, htb_class_mode), so guarantees below a node are scaled until their sum fits: first
 * what nodes were given beyond the guarantees of their circuits, then these. Each keeps its floor and loses the same
 * fraction of the rest, as in minimums.ts. Ceilings below stay: they are plans.
 */
import { burstOf } from "../core/tc/burst.ts";
import type { ClassAt, HtbClass } from "../core/tc/class.ts";
import type { Handle } from "../core/tc/handle.ts";
import { type BitsPerSecond, bitsPerSecond, wholeBytesRate } from "../core/units.ts";
import { type ClassTree, type Demand, together } from "./class-tree.ts";

/** Live rates by class. */
export type LiveByClass = ReadonlyMap<Handle, BitsPerSecond>;

/** HTB knows no less than a byte per second. */
const LEAST = 8;

const asRate = (rate: number): BitsPerSecond => wholeBytesRate(bitsPerSecond(Math.max(rate, LEAST)));

/** A class with another own rate. */
function atOwnRate(planned: HtbClass, rate: BitsPerSecond, mtu: number): HtbClass {
  return rate === planned.rate ? planned : { ...planned, rate, burst: burstOf(rate, mtu) };
}

/** A node's class at a live rate. Whether the guarantees below fit is another question. */
export function liveClass(planned: HtbClass, live: BitsPerSecond, mtu: number): HtbClass {
  const ceil = asRate(live);
  const own = atOwnRate(planned, bitsPerSecond(Math.min(planned.rate, ceil)), mtu);
  return { ...own, ceil, cburst: burstOf(ceil, mtu) };
}

/** Makes demands fit into a limit that is less than all of them: what each may send. */
function scale(demands: readonly Demand[], limit: number): number[] {
  const all = together(demands);
  if (all.floor >= limit) return demands.map(({ floor }) => (floor * limit) / all.floor);
  // All keep the lower one, and of what the upper one is more than that, the fraction that is left for it.
  const between = (lower: keyof Demand, upper: keyof Demand): number[] => {
    const fraction = (limit - all[lower]) / (all[upper] - all[lower]);
    return demands.map((demand) => demand[lower] + (demand[upper] - demand[lower]) * fraction);
  };
  return all.circuits > limit ? between("floor", "circuits") : between("circuits", "whole");
}

/** Works out one device. */
class Overlay {
  readonly changed = new Map<Handle, HtbClass>();
  readonly #tree: ClassTree;
  readonly #live: LiveByClass;
  /** Live classes and all above them: what is planned for them does not tell what they ask for. */
  readonly #marked: ReadonlySet<Handle>;

  constructor(tree: ClassTree, live: LiveByClass) {
    this.#tree = tree;
    this.#live = live;
    const above = [...live.keys()].flatMap((classid) => tree.above(classid).map((at) => at.classid));
    this.#marked = new Set([...live.keys(), ...above]);
  }

  /** What a class asks for, live rates below it considered. */
  #demand(at: ClassAt): Demand {
    if (!this.#marked.has(at.classid)) return this.#tree.demandOf(at);
    const below = this.#tree.childrenOf(at.classid).map((child) => this.#demand(child));
    const { whole, circuits, floor } = this.#tree.demandWith(at, together(below));
    const most = this.#live.get(at.classid) ?? Number.POSITIVE_INFINITY;
    return { whole: Math.min(whole, most), circuits: Math.min(circuits, most), floor: Math.min(floor, most) };
  }

  /** Places a class of which no more than `limit` may be sent unasked, and what has to change below it. */
  place(at: ClassAt, limit: number): void {
    const { mtu } = this.#tree;
    const live = this.#live.get(at.classid);
    const least = Math.min(limit, live ?? Number.POSITIVE_INFINITY);
    const own = atOwnRate(at.htb, bitsPerSecond(Math.min(at.htb.rate, asRate(least))), mtu);
    const htb = live === undefined ? own : liveClass(own, live, mtu);
    if (htb !== at.htb) this.changed.set(at.classid, htb);
    const children = this.#tree.childrenOf(at.classid);
    const demands = children.map((child) => this.#demand(child));
    if (together(demands).whole <= least) return;
    const limits = scale(demands, least);
    for (const [i, child] of children.entries()) this.place(child, limits[i]!);
  }
}

/**
 * The classes of a device that are others than planned because of live rates, parents before children.
 *
 * @param near only those that this class has to do with: below the uppermost live class that is above it, or it itself
 */
export function liveClasses(tree: ClassTree, live: LiveByClass, near?: Handle): ReadonlyMap<Handle, HtbClass> {
  const isLive = ({ classid }: ClassAt): boolean => live.has(classid);
  const root = near === undefined ? undefined : (tree.above(near).findLast(isLive)?.classid ?? near);
  const within = (classid: Handle): boolean =>
    root === undefined || classid === root || tree.above(classid).some((at) => at.classid === root);
  const here = new Map([...live].filter(([classid]) => tree.get(classid) && within(classid)));
  const depth = (classid: Handle): number => tree.above(classid).length;
  const overlay = new Overlay(tree, here);
  // From the top down: what is reached from above knows what is left for it.
  for (const classid of [...here.keys()].toSorted((a, b) => depth(a) - depth(b)))
    if (!overlay.changed.has(classid)) overlay.place(tree.get(classid)!, Number.POSITIVE_INFINITY);
  return overlay.changed;
}
