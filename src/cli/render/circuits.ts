/** Circuits and nodes as text. */
import { humanBytes, humanRate } from "../../core/units.ts";
import { type Direction, DIRECTIONS } from "../../shaper/model.ts";
import type { Limit } from "../../shaper/tree.ts";
import type { CircuitView, LinkView, NodeView, SideView } from "../../shaper/view.ts";
import type { Column } from "./table.ts";

/** Both directions in one cell. */
const pair = (show: (direction: Direction) => string): string => DIRECTIONS.map((d) => show(d)).join(" / ");

const counted = (side: SideView, show: (counters: NonNullable<SideView["counters"]>) => string): string =>
  side.counters ? show(side.counters) : "-";

/** Who limits a circuit, in words. */
export function limitText(limit: Limit): string {
  if (limit.kind === "own") return "its plan";
  return limit.kind === "link" ? "the link" : `node ${limit.name}`;
}

const limitCell = (view: CircuitView): string => {
  const texts = DIRECTIONS.map((d) => limitText(view.sides[d].limit));
  return texts[0] === texts[1] ? texts[0]! : texts.join(" / ");
};

/** The columns of `circuit list`; pairs are download / upload. */
export const CIRCUIT_COLUMNS: readonly Column<CircuitView>[] = [
  { title: "CIRCUIT", cell: (view) => view.circuit.id },
  { title: "NAME", cell: (view) => view.circuit.name },
  { title: "NODE", cell: (view) => view.path.at(-1)?.name ?? "-" },
  { title: "PLAN", align: "right", cell: (view) => pair((d) => humanRate(view.circuit.max[d])) },
  { title: "CEILING", align: "right", cell: (view) => pair((d) => humanRate(view.sides[d].ceil)) },
  { title: "LIMITED BY", cell: limitCell },
  { title: "CLASS", cell: (view) => pair((d) => view.sides[d].classid) },
  { title: "SENT", align: "right", cell: (view) => pair((d) => counted(view.sides[d], (c) => humanBytes(c.bytes))) },
  { title: "DROPS", align: "right", cell: (view) => pair((d) => counted(view.sides[d], (c) => String(c.drops))) },
  {
    title: "BACKLOG",
    align: "right",
    cell: (view) => pair((d) => counted(view.sides[d], (c) => humanBytes(c.backlog))),
  },
];

/** One row of the tree. */
export interface TreeRow {
  /** The branch drawn before the name, and the name. */
  readonly label: string;
  readonly own: string;
  readonly sides: CircuitView["sides"];
}

/** The rows of a tree, branches drawn; circuits before the nodes beside them. */
export function treeRows(view: LinkView, withCircuits: boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (nodes: readonly NodeView[], circuits: readonly CircuitView[], indent: string): void => {
    const shown = withCircuits ? circuits : [];
    const last = shown.length + nodes.length - 1;
    const branch = (i: number): string => indent + (i === last ? "└─ " : "├─ ");
    for (const [i, { circuit, sides }] of shown.entries()) {
      rows.push({ label: `${branch(i)}${circuit.id} ${circuit.name}`, own: circuit.id, sides });
    }
    for (const [i, node] of nodes.entries()) {
      const at = shown.length + i;
      rows.push({ label: `${branch(at)}${node.name}`, own: node.name, sides: node.sides });
      add(node.children, node.circuits, indent + (at === last ? "   " : "│  "));
    }
  };
  add(view.nodes, view.orphans, "");
  return rows;
}

/** The columns of `shaper tree`. */
export const TREE_COLUMNS: readonly Column<TreeRow>[] = [
  { title: "NODE", cell: (row) => row.label },
  { title: "CEILING", align: "right", cell: (row) => pair((d) => humanRate(row.sides[d].ceil)) },
  { title: "GUARANTEED", align: "right", cell: (row) => pair((d) => humanRate(row.sides[d].rate)) },
  { title: "SENT", align: "right", cell: (row) => pair((d) => counted(row.sides[d], (c) => humanBytes(c.bytes))) },
  { title: "BACKLOG", align: "right", cell: (row) => pair((d) => counted(row.sides[d], (c) => humanBytes(c.backlog))) },
  { title: "CLASS", cell: (row) => pair((d) => row.sides[d].classid) },
];
