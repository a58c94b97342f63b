/** The tree with what the kernel counted, as people and programs look at it. Pure. */
import { formatHandle, type Handle } from "../core/tc/handle.ts";
import { type Allocation, keyOf, type Slot } from "./allocation.ts";
import { both } from "../core/both.ts";
import type { ClassCounters, Counters } from "./counters.ts";
import { classidOf, type Side } from "./desired.ts";
import type { LiveRate } from "./live-rates.ts";
import type { Both, Circuit, Direction } from "./model.ts";
import type { Limit, Tree, TreeCircuit, TreeNode } from "./tree.ts";

/** One direction of a node or circuit. */
export interface SideView {
  /** Bit/s it may send at most, and is guaranteed. */
  readonly ceil: number;
  readonly rate: number;
  /** Whose rate its ceiling is. */
  readonly limit: Limit;
  /** What a node is set to instead of its ceiling, while somebody drives it. */
  readonly live?: number;
  readonly device: string;
  readonly classid: string;
  /** Absent when the class is not in the kernel: apply has not been run since it was planned. */
  readonly counters?: ClassCounters;
}

/** A node with everything below it. */
export interface NodeView {
  readonly name: string;
  readonly sides: Both<SideView>;
  readonly circuits: readonly CircuitView[];
  readonly children: readonly NodeView[];
}

/** A circuit. */
export interface CircuitView {
  readonly circuit: Circuit;
  readonly sides: Both<SideView>;
  /** The nodes above it, the top one first; empty for an orphan. */
  readonly path: readonly TreeNode[];
}

/** What a view is made of. */
export interface ViewInput {
  readonly tree: Tree;
  readonly allocation: Allocation;
  readonly sides: readonly Side[];
  readonly counters: Counters;
  readonly live?: readonly LiveRate[];
}

/** The whole link. */
export interface LinkView {
  readonly nodes: readonly NodeView[];
  readonly orphans: readonly CircuitView[];
}

/** Looks up one side of one thing. */
function sideView(input: ViewInput, rated: TreeNode | TreeCircuit, slot: Slot, direction: Direction): SideView {
  const side = input.sides.find((candidate) => candidate.direction === direction)!;
  const classid: Handle = classidOf(side, slot);
  const counters = input.counters.get(side.device)?.get(classid);
  return {
    ceil: rated.ceil[direction],
    rate: rated.rate[direction],
    limit: rated.limit[direction],
    device: side.device,
    classid: formatHandle(classid),
    ...(counters && { counters }),
  };
}

/** Builds the view. */
export function buildView(input: ViewInput): LinkView {
  const sidesOf = (rated: TreeNode | TreeCircuit, key: string): Both<SideView> =>
    both((d) => sideView(input, rated, input.allocation.get(key)!, d));
  const viewCircuit = (circuit: TreeCircuit, path: readonly TreeNode[]): CircuitView => ({
    circuit: circuit.circuit,
    sides: sidesOf(circuit, keyOf.circuit(circuit.circuit.id)),
    path,
  });
  const liveSide = (side: SideView, name: string, direction: Direction): SideView => {
    const live = input.live?.find((rate) => rate.name === name && rate.direction === direction)?.rate;
    return live === undefined ? side : { ...side, live };
  };
  const viewNode = (node: TreeNode, above: readonly TreeNode[]): NodeView => {
    const path = [...above, node];
    const sides = sidesOf(node, keyOf.node(node.name));
    return {
      name: node.name,
      sides: both((d) => liveSide(sides[d], node.name, d)),
      circuits: node.circuits.map((circuit) => viewCircuit(circuit, path)),
      children: node.children.map((child) => viewNode(child, path)),
    };
  };
  return {
    nodes: input.tree.nodes.map((node) => viewNode(node, [])),
    orphans: input.tree.orphans.map((orphan) => viewCircuit(orphan, [])),
  };
}

/** Every circuit of a view, in tree order. */
export function circuitsIn(view: LinkView): CircuitView[] {
  const below = (node: NodeView): CircuitView[] => [
    ...node.circuits,
    ...node.children.flatMap((child) => below(child)),
  ];
  return [...view.nodes.flatMap((node) => below(node)), ...view.orphans];
}
