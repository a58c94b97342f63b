/** Circuits and nodes as text. */
import type { Output } from "../../api/routes.ts";
import type { CircuitJson, NodeJson, SideJson } from "../../api/schemas/shaper.ts";
import { humanBytes, humanRate } from "../../core/units.ts";
import type { Column } from "./table.ts";

/** Both directions, in the order in which they are shown. */
export const DIRECTIONS = ["download", "upload"] as const;
/** One of them. */
export type Direction = (typeof DIRECTIONS)[number];

/** The note that what is shown is not what the kernel does. */
export const OUT_OF_STEP = "note: the kernel differs from the files; sluice plan shows how, sluice apply mends it";

type Sides = Readonly<Record<Direction, SideJson>>;

/** A ceiling; of what is driven the rate that holds instead of it, too. */
const ceiling = ({ ceilBitsPerSecond: planned, liveBitsPerSecond: live }: SideJson): string =>
  live === undefined ? humanRate(planned) : `${humanRate(live)} of ${humanRate(planned)}`;

/** Both directions in one cell. */
const pair = (show: (direction: Direction) => string): string => DIRECTIONS.map((d) => show(d)).join(" / ");

const counted = (side: SideJson, show: (counters: NonNullable<SideJson["counters"]>) => string): string =>
  side.counters ? show(side.counters) : "-";

/** Who limits a circuit, in words. */
export function limitText(limit: SideJson["limitedBy"]): string {
  if (limit.kind === "own") return "its plan";
  return limit.kind === "link" ? "the link" : `node ${limit.name}`;
}

const limitCell = (circuit: CircuitJson): string => {
  const texts = DIRECTIONS.map((d) => limitText(circuit[d].limitedBy));
  return texts[0] === texts[1] ? texts[0]! : texts.join(" / ");
};

/** The columns of `circuit list`; pairs are download / upload. */
export const CIRCUIT_COLUMNS: readonly Column<CircuitJson>[] = [
  { title: "CIRCUIT", cell: ({ id }) => id },
  { title: "NAME", cell: ({ name }) => name },
  { title: "NODE", cell: ({ path }) => path.at(-1) ?? "-" },
  { title: "PLAN", align: "right", cell: (circuit) => pair((d) => humanRate(circuit[d].planBitsPerSecond)) },
  { title: "CEILING", align: "right", cell: (circuit) => pair((d) => humanRate(circuit[d].ceilBitsPerSecond)) },
  { title: "LIMITED BY", cell: limitCell },
  { title: "CLASS", cell: (circuit) => pair((d) => circuit[d].classid) },
  { title: "SENT", align: "right", cell: (circuit) => pair((d) => counted(circuit[d], (c) => humanBytes(c.bytes))) },
  { title: "DROPS", align: "right", cell: (circuit) => pair((d) => counted(circuit[d], (c) => String(c.drops))) },
  {
    title: "BACKLOG",
    align: "right",
    cell: (circuit) => pair((d) => counted(circuit[d], (c) => humanBytes(c.backlog))),
  },
];

/** One row of the tree. */
export interface TreeRow {
  /** The branch drawn before the name, and the name. */
  readonly label: string;
  readonly sides: Sides;
}

/** The rows of a tree, branches drawn; circuits, when there are any, before the nodes beside them. */
export function treeRows({ nodes: top, orphans, circuits = [] }: Output<"shaper.tree">): TreeRow[] {
  const byId = new Map(circuits.map((circuit) => [circuit.id, circuit]));
  const rows: TreeRow[] = [];
  const add = (nodes: readonly NodeJson[], ids: readonly string[], indent: string): void => {
    const shown = ids.flatMap((id) => byId.get(id) ?? []);
    const last = shown.length + nodes.length - 1;
    const branch = (i: number): string => indent + (i === last ? "└─ " : "├─ ");
    for (const [i, circuit] of shown.entries()) {
      rows.push({ label: `${branch(i)}${circuit.id} ${circuit.name}`, sides: circuit });
    }
    for (const [i, node] of nodes.entries()) {
      const at = shown.length + i;
      rows.push({ label: `${branch(at)}${node.name}`, sides: node });
      add(node.children, node.circuits, indent + (at === last ? "   " : "│  "));
    }
  };
  add(
    top,
    orphans.map(({ id }) => id),
    "",
  );
  return rows;
}

/** The columns of `shaper tree`. */
export const TREE_COLUMNS: readonly Column<TreeRow>[] = [
  { title: "NODE", cell: ({ label }) => label },
  { title: "CEILING", align: "right", cell: ({ sides }) => pair((d) => ceiling(sides[d])) },
  { title: "GUARANTEED", align: "right", cell: ({ sides }) => pair((d) => humanRate(sides[d].rateBitsPerSecond)) },
  { title: "SENT", align: "right", cell: ({ sides }) => pair((d) => counted(sides[d], (c) => humanBytes(c.bytes))) },
  {
    title: "BACKLOG",
    align: "right",
    cell: ({ sides }) => pair((d) => counted(sides[d], (c) => humanBytes(c.backlog))),
  },
  { title: "CLASS", cell: ({ sides }) => pair((d) => sides[d].classid) },
];
