/** The planned classes of a device as a tree, with what each asks for. Pure; worked out when it is asked for. */
import type { ClassAt } from "../core/tc/class.ts";
import type { Handle } from "../core/tc/handle.ts";
import { RATE_FLOOR } from "./minimums.ts";

/**
 * Bit/s that a class and all below it send whatever is above them: HTB lets each send its own rate, and each lend its own
 * to those below.
 */
export interface Demand {
  /** As it is planned. */
  readonly whole: number;
  /** What circuits are guaranteed of that; the rest is what nodes were given beyond it. */
  readonly circuits: number;
  /** What cannot be taken away: the floors of everything. */
  readonly floor: number;
}

/** Several demands together. */
export const together = (demands: readonly Demand[]): Demand => {
  const sum = (part: keyof Demand): number => demands.reduce((total, demand) => total + demand[part], 0);
  return { whole: sum("whole"), circuits: sum("circuits"), floor: sum("floor") };
};

/** One device. */
export class ClassTree {
  readonly #classes: readonly ClassAt[];
  readonly #nodes: ReadonlySet<Handle>;
  /** Bytes. */
  readonly mtu: number;
  #byId: ReadonlyMap<Handle, ClassAt> | undefined;
  #children: ReadonlyMap<Handle, readonly ClassAt[]> | undefined;
  readonly #demands = new Map<Handle, Demand>();

  /** @param nodes the classes that are nodes, with circuits or without */
  constructor(classes: readonly ClassAt[], nodes: ReadonlySet<Handle>, mtu: number) {
    this.#classes = classes;
    this.#nodes = nodes;
    this.mtu = mtu;
  }

  /** A class. */
  get(classid: Handle): ClassAt | undefined {
    return (this.#byId ??= new Map(this.#classes.map((at) => [at.classid, at]))).get(classid);
  }

  /** Those directly below. */
  childrenOf(classid: Handle): readonly ClassAt[] {
    return (this.#children ??= Map.groupBy(this.#classes, ({ parent }) => parent)).get(classid) ?? [];
  }

  /** The classes above one, the nearest first. */
  above(classid: Handle): ClassAt[] {
    const own = this.get(classid);
    const parent = own && this.get(own.parent);
    return parent ? [parent, ...this.above(parent.classid)] : [];
  }

  /** What a class asks for as it is planned. */
  demandOf(at: ClassAt): Demand {
    const known = this.#demands.get(at.classid);
    if (known) return known;
    const below = this.childrenOf(at.classid).map((child) => this.demandOf(child));
    const demand = this.demandWith(at, together(below));
    this.#demands.set(at.classid, demand);
    return demand;
  }

  /** The same with another demand below it. */
  demandWith({ classid, htb }: ClassAt, below: Demand): Demand {
    const floor = Math.min(RATE_FLOOR, htb.rate);
    return {
      whole: Math.max(htb.rate, below.whole),
      circuits: Math.max(this.#nodes.has(classid) ? floor : htb.rate, below.circuits),
      floor: Math.max(floor, below.floor),
    };
  }
}
