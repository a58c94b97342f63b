/**
 * Queues, class ids and final rates. One counter of minors per queue, from 3 (1 is the queue's root class, 2 its default
 * class); top-level nodes take the queues in turn, and the counters go on when they come round again. A node takes one
 * number, each of its circuits one, and a node with children leaves one out before them.
 */
import { type Both, DIRECTIONS } from "../model.ts";
import type { LibreqosCircuit } from "./circuits.ts";
import type { Bounds } from "./inherit.ts";
import type { CircuitsByParent } from "./minimums.ts";
import type { RatedNode } from "./network.ts";
import { OBSERVED_NODE } from "./observe.ts";
import type { PyDict } from "./python/json.ts";
import { float, int, min, type PyNumber } from "./python/number.ts";

const FIRST_MINOR = 3;
/** What circuits' minimums become when together they are more than their node's, Mbit/s. */
const SHARED_MINIMUM = 1;

/** A circuit with its class. */
export interface PlacedCircuit {
  readonly circuit: LibreqosCircuit;
  /** Counted from 1; the major of its class for download. */
  readonly queue: number;
  readonly minor: number;
  /** Mbit/s; an int where the node's rate is the lower one. */
  readonly max: Both<PyNumber>;
  readonly min: Both<PyNumber>;
}

/** A node with its class. */
export interface PlacedNode extends Bounds {
  readonly name: string;
  /** Its keys in the file's order; rates have their final values in `max` and `min`. */
  readonly fields: PyDict;
  readonly queue: number;
  readonly minor: number;
  /** Minor of the class it hangs on; absent on the top level, which hangs on the HTB itself. */
  readonly parentMinor?: number;
  readonly circuits: readonly PlacedCircuit[];
  /** Absent when the node had no such key. */
  readonly children?: readonly PlacedNode[];
}

/** The whole tree with its ids. */
export interface Placement {
  readonly nodes: readonly PlacedNode[];
  /** The next free minor of each queue. */
  readonly counters: readonly number[];
  /** Names of nodes with more circuits than Mbit/s to guarantee: their minimums of 1 Mbit/s are written as 10 kbit/s. */
  readonly squashed: ReadonlySet<string>;
}

const bothOf = <T>(make: (direction: "download" | "upload") => T): Both<T> => ({
  download: make("download"),
  upload: make("upload"),
});

class Placer {
  readonly #circuits: CircuitsByParent;
  readonly #monitorOnly: boolean;
  readonly counters: number[];
  readonly squashed = new Set<string>();
  /** Names whose circuits lost their minimums; that stays so under another node of the same name. */
  readonly #shared = new Set<string>();

  constructor(circuits: CircuitsByParent, queues: number, monitorOnly: boolean) {
    this.#circuits = circuits;
    this.#monitorOnly = monitorOnly;
    this.counters = Array.from({ length: queues }, () => FIRST_MINOR);
  }

  #next(queue: number): number {
    const minor = this.counters[queue - 1]!;
    this.counters[queue - 1] = minor + 1;
    return minor;
  }

  node(node: RatedNode, queue: number, above: Bounds, parentMinor?: number): PlacedNode {
    const minor = this.#next(queue);
    const rates = this.#cap(node, above);
    const circuits = this.#circuits.get(node.name) ?? [];
    this.#shareMinimums(node.name, circuits, rates);
    const placed = circuits.map((circuit) => this.#circuit(circuit, queue, rates));
    if (node.children) this.#next(queue);
    const children = node.children?.map((child) => this.node(child, queue, rates, minor));
    return {
      name: node.name,
      fields: node.fields,
      ...rates,
      queue,
      minor,
      ...(parentMinor !== undefined && { parentMinor }),
      circuits: placed,
      ...(children && { children }),
    };
  }

  #cap(node: RatedNode, above: Bounds): Bounds {
    if (this.#monitorOnly) return { max: bothOf(() => OBSERVED_NODE), min: bothOf(() => OBSERVED_NODE) };
    const max = bothOf((d) => Math.min(node.max[d], above.max[d]));
    return { max, min: bothOf((d) => Math.min(node.min[d], max[d], above.min[d])) };
  }

  /** When the circuits' minimums are more than the node's, in either direction, all of them become 1 Mbit/s. */
  #shareMinimums(name: string, circuits: readonly LibreqosCircuit[], { min: least }: Bounds): void {
    const sum = bothOf((d) => circuits.reduce((total, circuit) => total + circuit.min[d], 0));
    if (!DIRECTIONS.some((d) => sum[d] > least[d])) return;
    this.#shared.add(name);
    if (DIRECTIONS.some((d) => SHARED_MINIMUM * circuits.length > least[d])) this.squashed.add(name);
  }

  #circuit(circuit: LibreqosCircuit, queue: number, { max: most }: Bounds): PlacedCircuit {
    const shared = this.#shared.has(circuit.parent);
    const max = bothOf((d) => min(float(circuit.max[d]), int(most[d])));
    const least = bothOf((d) => min(shared ? int(SHARED_MINIMUM) : float(circuit.min[d]), max[d]));
    return { circuit, queue, minor: this.#next(queue), max, min: least };
  }
}

/** Gives every node and circuit its queue, class id and final rates. */
export function placeNodes(
  nodes: readonly RatedNode[],
  circuits: CircuitsByParent,
  options: { readonly queues: number; readonly capacity: Both<number>; readonly monitorOnly: boolean },
): Placement {
  const { queues, capacity, monitorOnly } = options;
  const placer = new Placer(circuits, queues, monitorOnly);
  const line = { max: capacity, min: capacity };
  const placed = nodes.map((node, index) => placer.node(node, (index % queues) + 1, line));
  return { nodes: placed, counters: placer.counters, squashed: placer.squashed };
}
