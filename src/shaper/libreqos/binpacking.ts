/**
 * How LibreQoS spreads load over queues when `use_binpacking` is on: orphans over the generated nodes, and the top level
 * over one node per queue. Weights come from the Rust side, which reads the device list in its own way: cells without
 * the blanks around them, rates as 32-bit floats.
 */
import type { Both } from "../model.ts";
import { type LibreqosCircuit, NO_PARENT } from "./circuits.ts";
import { NO_NODE, type RatedNode, RATE_KEYS } from "./network.ts";
import { isDict, type PyDict, type PyValue } from "./python/json.ts";
import { int } from "./python/number.ts";
import type { CheckedRow } from "./rows.ts";
import { parseF32 } from "./rust/f32.ts";

/**
 * Puts weights into so many bins: heaviest first (earlier first on ties), each into the bin with the least sum (lowest
 * first on ties). Longest processing time, as the Python package `binpacking` has it.
 *
 * @returns the bin of each weight, counted from 0
 */
export function packBins(weights: readonly number[], bins: number): number[] {
  const sums = Array.from({ length: bins }, () => 0);
  const chosen = weights.map(() => 0);
  const heaviestFirst = weights.map((_, index) => index).toSorted((a, b) => weights[b]! - weights[a]!);
  for (const index of heaviestFirst) {
    let least = 0;
    for (let bin = 1; bin < bins; bin += 1) if (sums[bin]! < sums[least]!) least = bin;
    chosen[index] = least;
    sums[least]! += weights[index]!;
  }
  return chosen;
}

/** The weight of a plan: half its download rate, at least 1, rounded half up. */
const weightOf = (downloadMax: number): number => {
  const half = downloadMax / 2;
  return half > 1 ? Math.floor(half + 0.5) : 1;
};

/** Weights of circuits by id without blanks, each from its first row. */
export function circuitWeights(rows: readonly CheckedRow[]): Map<string, number> {
  const weights = new Map<string, number>();
  for (const { row } of rows) {
    const id = row.circuitId.trim();
    const rate = parseF32(row.downloadMax.trim());
    if (rate !== undefined && !weights.has(id)) weights.set(id, weightOf(rate));
  }
  return weights;
}

/** The generated node of each orphan, counted from 0. One whose id has blanks around it weighs what it may send. */
export function packOrphans(
  circuits: readonly LibreqosCircuit[],
  weights: ReadonlyMap<string, number>,
  queues: number,
): number[] {
  const orphans = circuits.filter(({ parent }) => parent === NO_PARENT);
  return packBins(
    orphans.map(({ id, max }) => weights.get(id) ?? max.download + max.upload),
    queues,
  );
}

/** The sum of the weights of all device rows below a node: a circuit of two devices counts twice. */
function subtreeWeight(name: string, node: PyDict, byParent: ReadonlyMap<string, number>): number {
  const children = node.get("children");
  const below = children !== undefined && isDict(children) ? [...children] : [];
  return below.reduce(
    (sum, [child, value]) => sum + (isDict(value) ? subtreeWeight(child, value, byParent) : 0),
    byParent.get(name) ?? 0,
  );
}

/** By code point, as Rust orders texts. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * The queue of each top-level node of the file, counted from 0. Nodes of equal weight are taken in the order of their
 * names.
 */
export function packNodes(
  network: PyDict,
  rows: readonly CheckedRow[],
  weights: ReadonlyMap<string, number>,
  queues: number,
): Map<string, number> {
  const byParent = new Map<string, number>();
  for (const { row } of rows) {
    const parent = row.parent.trim();
    byParent.set(parent, (byParent.get(parent) ?? 0) + (weights.get(row.circuitId.trim()) ?? 0));
  }
  const names = [...network]
    .flatMap(([name, node]) => (isDict(node) ? { name, weight: subtreeWeight(name, node, byParent) } : []))
    .toSorted((a, b) => compareNames(a.name, b.name));
  const bins = packBins(
    names.map(({ weight }) => weight),
    queues,
  );
  return new Map(names.map(({ name }, index) => [name, bins[index]!]));
}

/**
 * Hangs the top level on one node per queue, `CpueQueue0` and so on. Nodes that nobody weighed, the generated ones above
 * all, end up on the last.
 */
export function wrapInQueues(
  top: readonly RatedNode[],
  chosen: ReadonlyMap<string, number>,
  queues: number,
  rates: Both<number>,
): RatedNode[] {
  const { download, upload } = rates;
  const fields = new Map<string, PyValue>([
    [RATE_KEYS.max.download, int(download)],
    [RATE_KEYS.max.upload, int(upload)],
    ["type", "site"],
    [RATE_KEYS.min.download, int(download)],
    [RATE_KEYS.min.upload, int(upload)],
  ]);
  const children = Array.from({ length: queues }, (): RatedNode[] => []);
  for (const node of top) children[chosen.get(node.name) ?? queues - 1]!.push(node);
  return children.map((below, queue) => ({
    name: `CpueQueue${queue}`,
    fields,
    max: rates,
    min: rates,
    children: below,
  }));
}

/** Whether the top level is wrapped at all: a flat network is not. */
export const wrapsNodes = (network: PyDict): boolean => [...network.keys()].some((name) => name !== NO_NODE);
