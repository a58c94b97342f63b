/**
 * Which transmit queue each part of the tree lives in. A part is a top-level node with everything below it, or a circuit
 * that hangs on the link itself; it cannot be split, because HTBs do not borrow from each other.
 */
import { DIRECTIONS } from "./model.ts";
import type { Tree, TreeCircuit, TreeNode } from "./tree.ts";

/** What is placed, and how much load it is expected to bring. */
export interface Part {
  /** Allocation key (allocation.ts). */
  readonly key: string;
  /** Expected load in bit/s, both directions: what its circuits may send, but no more than its own ceiling. */
  readonly weight: number;
}

const circuitWeight = (circuit: TreeCircuit): number => DIRECTIONS.reduce((sum, d) => sum + circuit.ceil[d], 0);

/** The load a node may bring: what is below it can send, within its ceiling. */
function nodeWeight(node: TreeNode): number {
  const below =
    node.circuits.reduce((sum, circuit) => sum + circuitWeight(circuit), 0) +
    node.children.reduce((sum, child) => sum + nodeWeight(child), 0);
  return Math.min(
    below,
    DIRECTIONS.reduce((sum, d) => sum + node.ceil[d], 0),
  );
}

/** The parts of a tree, in its order. */
export function partsOf(tree: Tree, keys: { node(name: string): string; circuit(id: string): string }): Part[] {
  return [
    ...tree.nodes.map((node) => ({ key: keys.node(node.name), weight: nodeWeight(node) })),
    ...tree.orphans.map((orphan) => ({ key: keys.circuit(orphan.circuit.id), weight: circuitWeight(orphan) })),
  ];
}

/**
 * Chooses a queue for every part. One that has a queue stays there, so that nobody's packets move because a neighbour
 * came or went; the others go, heaviest first, each to the queue with the least load (longest processing time first,
 * Graham 1969: at most 4/3 of the best possible when all are new). Ties go to the earlier part and the lower queue.
 *
 * @param queues how many there are
 * @param placed where parts are now, by key; queues beyond the number there are do not count
 * @returns the queue (from 0) by key
 */
export function chooseQueues(
  parts: readonly Part[],
  queues: number,
  placed: ReadonlyMap<string, number>,
): Map<string, number> {
  const load = Array.from({ length: queues }, () => 0);
  const chosen = new Map<string, number>();
  for (const part of parts) {
    const queue = placed.get(part.key);
    if (queue === undefined || queue >= queues) continue;
    chosen.set(part.key, queue);
    load[queue]! += part.weight;
  }
  const waiting = parts.filter((part) => !chosen.has(part.key)).toSorted((a, b) => b.weight - a.weight);
  for (const part of waiting) {
    const queue = load.indexOf(Math.min(...load));
    chosen.set(part.key, queue);
    load[queue]! += part.weight;
  }
  return chosen;
}
