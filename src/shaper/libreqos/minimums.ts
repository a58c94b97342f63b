/**
 * LibreQoS's minimums of nodes, oddities and all:
 *
 * - The sums of circuits' minimums run along a whole level and are never set back, so a node is raised by its earlier
 *   siblings' circuits too.
 * - A node that states no minimum gets its own *maximum* as one, and for download that is compared with the sum of the
 *   *uploads*. So nearly every node is guaranteed all that it may send.
 */
import type { Both } from "../model.ts";
import type { LibreqosCircuit } from "./circuits.ts";
import { levelEntries, nodeFields, nodeLocation, RATE_KEYS, type RawNode } from "./network.ts";
import { OBSERVED_NODE } from "./observe.ts";
import { type Explanation, PythonError } from "./python/error.ts";
import { isNumber, type PyDict, type PyValue, typeName } from "./python/json.ts";
import { add, float, int, max, type PyNumber } from "./python/number.ts";

/** Circuits by the name of their parent, in the file's order. */
export type CircuitsByParent = ReadonlyMap<string, readonly LibreqosCircuit[]>;

type Sums = Both<PyNumber>;

/** `max(value, sum)` of a value straight from the file. @throws PythonError TypeError for a text and the like */
function largest(value: PyValue, sum: PyNumber, key: string, explain: (reason: string) => Explanation): PyValue {
  if (isNumber(value)) return max(value, sum);
  // To Python, true and false are the numbers 1 and 0.
  if (typeof value === "boolean") return sum.value > Number(value) ? sum : value;
  const text = `'>' not supported between instances of '${sum.kind}' and '${typeName(value)}'`;
  throw new PythonError("TypeError", text, explain(`${key} is no number`));
}

class MinimumWalk {
  readonly #circuits: CircuitsByParent;
  readonly #file: string;
  readonly #monitorOnly: boolean;

  constructor(circuits: CircuitsByParent, file: string, monitorOnly: boolean) {
    this.#circuits = circuits;
    this.#file = file;
    this.#monitorOnly = monitorOnly;
  }

  #explain(path: readonly string[], reason: string): Explanation {
    const where = nodeLocation(this.#file, path);
    return {
      reason: `Node "${path.at(-1)}": ${reason}`,
      remedy: "Give nodes as objects with both rates in Mbit/s",
      where,
    };
  }

  /** The nodes of a level with their minimums, and the sums at its end. */
  level(level: PyValue, path: readonly string[]): { readonly nodes: RawNode[]; readonly sums: Sums } {
    let sums: Sums = { download: int(0), upload: int(0) };
    const entries = levelEntries(level, () => this.#explain(path, "its children are no object"));
    const nodes = entries.map(([name, value]): RawNode => {
      const here = [...path, name];
      const dict = nodeFields(value, () => this.#explain(here, "it is no object"));
      // One by one: the order of additions shows in the last digit.
      for (const { min } of this.#circuits.get(name) ?? []) {
        sums = { download: add(sums.download, float(min.download)), upload: add(sums.upload, float(min.upload)) };
      }
      const { children: childLevel, fields } = split(dict);
      const below = childLevel === undefined ? undefined : this.level(childLevel, here);
      if (below) {
        sums = {
          download: add(sums.download, below.sums.download),
          upload: add(sums.upload, below.sums.upload),
        };
      }
      return { name, fields: this.#raise(fields, sums, here), ...(below && { children: below.nodes }) };
    });
    return { nodes, sums };
  }

  #raise(fields: Map<string, PyValue>, sums: Sums, path: readonly string[]): PyDict {
    if (this.#monitorOnly) {
      fields.set(RATE_KEYS.min.download, int(OBSERVED_NODE));
      fields.set(RATE_KEYS.min.upload, int(OBSERVED_NODE));
    }
    for (const direction of ["download", "upload"] as const) {
      const key = RATE_KEYS.min[direction];
      const given = fields.get(key);
      const explain = (reason: string): Explanation => this.#explain(path, reason);
      if (given !== undefined) {
        fields.set(key, largest(given, sums[direction], key, explain));
        continue;
      }
      const from = RATE_KEYS.max[direction];
      const own = fields.get(from);
      if (own === undefined) throw new PythonError("KeyError", `'${from}'`, explain(`it has no ${from}`));
      // Not a slip of ours: the sum of uploads, for download as well.
      fields.set(key, largest(own, sums.upload, from, explain));
    }
    return fields;
  }
}

function split(dict: PyDict): { fields: Map<string, PyValue>; children: PyValue | undefined } {
  const fields = new Map(dict);
  const children = fields.get("children");
  fields.delete("children");
  return { fields, children };
}

/**
 * Gives every node its minimums, which go to the end of its keys where they are new.
 *
 * @throws PythonError KeyError for a node without a rate, TypeError for what is no number or no object
 */
export const raiseMinimums = (
  network: PyDict,
  circuits: CircuitsByParent,
  options: { readonly file: string; readonly monitorOnly: boolean },
): RawNode[] => new MinimumWalk(circuits, options.file, options.monitorOnly).level(network, []).nodes;
