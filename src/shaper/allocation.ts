/**
 * Who has which number and queue. An allocation outlives the process: it is stored before the kernel is changed, so that
 * ids never move because a neighbour came or went, and a run that died half way is continued with the same ids.
 */
import { type Problem, problem } from "../core/errors.ts";
import type { BitsPerSecond } from "../core/units.ts";
import type { Both, Link } from "./model.ts";
import { poolsOf } from "./numbers.ts";
import { chooseQueues, partsOf } from "./queues.ts";
import type { PriorGrants, Tree, TreeCircuit, TreeNode } from "./tree.ts";

/** The place of one node or circuit in the kernel. */
export interface Slot {
  /** Transmit queue index from 0; in upload on a stick the queue is further on (see desired.ts). */
  readonly queue: number;
  /** Number of the parent node's class; 0 for the link. */
  readonly parent: number;
  /** Class minor and, for a circuit, leaf handle major. */
  readonly number: number;
  /** A node's guarantees, to be kept while they are enough (minimums.ts); absent for circuits. */
  readonly grant?: Both<BitsPerSecond>;
}

/** Slots by key. */
export type Allocation = ReadonlyMap<string, Slot>;

/** Keys of an allocation: nodes and circuits have name spaces of their own. */
export const keyOf = {
  node: (name: string): string => `node:${name}`,
  circuit: (id: string): string => `circuit:${id}`,
};

/** The grants that an allocation remembers, by node name. */
export function grantsOf(allocation: Allocation): PriorGrants {
  const prefix = keyOf.node("");
  const grants = [...allocation].flatMap(([key, { grant }]) =>
    grant ? [[key.slice(prefix.length), grant] as const] : [],
  );
  return new Map(grants);
}

/** What {@link allocate} goes by. */
export interface AllocationInput {
  readonly tree: Tree;
  readonly link: Link["kind"];
  /** Queues per direction. */
  readonly queues: number;
  /** The stored allocation. */
  readonly prior: Allocation;
  /** Numbers that the kernel has in use for anything, known to the store or not. */
  readonly occupied: ReadonlySet<number>;
  /** Places every part anew instead of leaving it where it is. */
  readonly rebalance?: boolean;
}

/** Hands out numbers from a pool in order, skipping those that are taken. */
function dispenser(pool: readonly number[], taken: Set<number>): () => number | undefined {
  let position = 0;
  return () => {
    while (position < pool.length && taken.has(pool[position]!)) position += 1;
    const number = pool[position];
    if (number !== undefined) taken.add(number);
    return number;
  };
}

/**
 * Gives every node and circuit of the tree a slot. A slot is kept as long as the queue and the parent's number stay: the
 * kernel cannot move a class. What moved gets a fresh number, so that the new class can be built and filled before the
 * old one goes. Fresh numbers are never ones that the store or the kernel has in use, not even for something on its way
 * out.
 *
 * @returns the slots of exactly what is in the tree, and SHAPER_QDISC_LIMIT or SHAPER_ID_OVERFLOW when numbers ran out
 */
export function allocate(input: AllocationInput): { allocation: Allocation; problems: Problem[] } {
  const { tree, prior } = input;
  const placed = new Map<string, number>();
  if (!input.rebalance) for (const [key, slot] of prior) if (slot.parent === 0) placed.set(key, slot.queue);
  const queues = chooseQueues(partsOf(tree, keyOf), input.queues, placed);

  const pools = poolsOf(input.link);
  const taken = new Set(input.occupied);
  for (const slot of prior.values()) taken.add(slot.number);
  const nextLeaf = dispenser(pools.leaf, taken);
  const nextInner = dispenser(pools.inner, taken);
  const allocation = new Map<string, Slot>();
  const missing = { leaf: 0, inner: 0 };
  const given = new Set<number>();

  const take = (key: string, queue: number, parent: number, grant?: Both<BitsPerSecond>): void => {
    const old = prior.get(key);
    // A store may be of a link of the other kind, or damaged.
    const keeps = old?.queue === queue && old.parent === parent && old.number <= pools.last && !given.has(old.number);
    const number = keeps ? old.number : grant ? nextInner() : nextLeaf();
    if (number === undefined) missing[grant ? "inner" : "leaf"] += 1;
    else given.add(number);
    allocation.set(key, { queue, parent, number: number ?? 0, ...(grant && { grant }) });
  };
  const placeCircuit = ({ circuit }: TreeCircuit, queue: number, parent: number): void => {
    take(keyOf.circuit(circuit.id), queue, parent);
  };
  const placeNode = (node: TreeNode, queue: number, parent: number): void => {
    const key = keyOf.node(node.name);
    take(key, queue, parent, node.rate);
    const { number } = allocation.get(key)!;
    for (const circuit of node.circuits) placeCircuit(circuit, queue, number);
    for (const child of node.children) placeNode(child, queue, number);
  };
  for (const node of tree.nodes) placeNode(node, queues.get(keyOf.node(node.name))!, 0);
  for (const orphan of tree.orphans) placeCircuit(orphan, queues.get(keyOf.circuit(orphan.circuit.id))!, 0);

  const problems: Problem[] = [];
  const report = (code: "SHAPER_QDISC_LIMIT" | "SHAPER_ID_OVERFLOW", pool: "leaf" | "inner"): void => {
    const available = pools[pool].length;
    if (missing[pool] > 0) problems.push(problem(code, { missing: missing[pool], available }));
  };
  report("SHAPER_QDISC_LIMIT", "leaf");
  report("SHAPER_ID_OVERFLOW", "inner");
  return { allocation, problems };
}
