/**
 * The nodes that LibreQoS adds for circuits without a parent: one per queue, always, at the end of the top level. A node
 * of the user's with such a name is overwritten where it stands.
 */
import type { Both } from "../model.ts";
import { type LibreqosCircuit, NO_PARENT } from "./circuits.ts";
import { RATE_KEYS } from "./network.ts";
import type { PyDict, PyValue } from "./python/json.ts";
import { int } from "./python/number.ts";

/** Name of the node of a queue, counted from 1. */
const generatedName = (queue: number): string => `Generated_PN_${queue}`;

/** The names of all. */
export const generatedNames = (queues: number): string[] =>
  Array.from({ length: queues }, (_, index) => generatedName(index + 1));

/** The network with the nodes for orphans at its end. */
export function withGeneratedNodes(network: PyDict, queues: number, rates: Both<number>): PyDict {
  const node = new Map<string, PyValue>([
    [RATE_KEYS.max.download, int(rates.download)],
    [RATE_KEYS.max.upload, int(rates.upload)],
  ]);
  return new Map([...network, ...generatedNames(queues).map((name): [string, PyValue] => [name, node])]);
}

/**
 * Gives every orphan one of the generated nodes.
 *
 * @param bins the node of each orphan, counted from 0, in the order of the orphans; without it they are dealt out in turn
 */
export function placeOrphans(
  circuits: readonly LibreqosCircuit[],
  queues: number,
  bins?: readonly number[],
): LibreqosCircuit[] {
  let orphan = 0;
  return circuits.map((circuit) => {
    if (circuit.parent !== NO_PARENT) return circuit;
    const bin = bins?.[orphan] ?? orphan % queues;
    orphan += 1;
    return { ...circuit, parent: generatedName(bin + 1) };
  });
}
