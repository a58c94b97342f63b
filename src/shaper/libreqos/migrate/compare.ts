/** The same node or circuit in both dialects, with the numbers that each writes into the kernel. */
import { type BitsPerSecond, humanRate, parseRate } from "../../../core/units.ts";
import { both } from "../../../core/both.ts";
import { type Both, DIRECTIONS } from "../../model.ts";
import type { Tree, TreeCircuit, TreeNode } from "../../tree.ts";
import type { LibreqosBuilt } from "../build.ts";
import type { PlacedCircuit, PlacedNode } from "../ids.ts";
import { formatRate } from "../rates.ts";

/** What a class of LibreQoS's gets, bit/s; 0 where tc refuses it. */
export interface Printed {
  readonly ceil: Both<number>;
  readonly rate: Both<number>;
}

/** A node in both. */
export interface NodePair {
  readonly name: string;
  readonly old: PlacedNode;
  readonly printed: Printed;
  readonly own: TreeNode;
}

/** A circuit in both. */
export interface CircuitPair {
  readonly id: string;
  readonly old: PlacedCircuit;
  /** The node it hangs on in LibreQoS's tree. */
  readonly on: PlacedNode;
  readonly printed: Printed;
  readonly own: TreeCircuit;
}

const printedRate = (mbps: number): number => parseRate(formatRate(mbps)) ?? 0;
/** What a squashed minimum of 1 Mbit/s is written as. */
const SQUASHED = 0.01;

/** Every node of a tree with its circuits, in order. */
export function flattenNodes<T extends { readonly children?: readonly T[] }>(nodes: readonly T[]): T[] {
  return nodes.flatMap((node) => [node, ...flattenNodes(node.children ?? [])]);
}

/** Pairs the nodes that both have. */
export function pairNodes({ placement }: LibreqosBuilt, tree: Tree): NodePair[] {
  const own = new Map(flattenNodes(tree.nodes).map((node) => [node.name, node]));
  return flattenNodes(placement.nodes).flatMap((old) => {
    const node = own.get(old.name);
    const printed = { ceil: both((d) => printedRate(old.max[d])), rate: both((d) => printedRate(old.min[d])) };
    return node ? { name: old.name, old, printed, own: node } : [];
  });
}

/** Pairs the circuits that both have. */
export function pairCircuits({ placement }: LibreqosBuilt, tree: Tree): CircuitPair[] {
  const all = [...flattenNodes(tree.nodes).flatMap(({ circuits }) => circuits), ...tree.orphans];
  const own = new Map(all.map((circuit) => [circuit.circuit.id, circuit]));
  return flattenNodes(placement.nodes).flatMap((on) =>
    on.circuits.flatMap((old) => {
      const circuit = own.get(old.circuit.id);
      if (!circuit) return [];
      const squashed = (mbps: number): number => (mbps === 1 && placement.squashed.has(on.name) ? SQUASHED : mbps);
      const printed = {
        ceil: both((d) => printedRate(old.max[d].value)),
        rate: both((d) => printedRate(squashed(old.min[d].value))),
      };
      return { id: old.circuit.id, old, on, printed, own: circuit };
    }),
  );
}

/** Differences of less than this many bit/s are those of whole bytes per second. */
const BYTE = 8;

/** `download 2 Mbit/s becomes 2.5 Mbit/s`, for the directions in which two rates differ; undefined when in none. */
export function change(before: Both<number>, after: Both<BitsPerSecond>): string | undefined {
  const texts = DIRECTIONS.filter((d) => Math.abs(before[d] - after[d]) >= BYTE).map((d) => {
    const old = before[d] === 0 ? "none (tc refuses it)" : humanRate(before[d]);
    return `${d} ${old} becomes ${humanRate(after[d])}`;
  });
  return texts.length === 0 ? undefined : texts.join(", ");
}
