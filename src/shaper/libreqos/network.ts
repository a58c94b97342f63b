/** Nodes of `network.json` as LibreQoS sees them: a dict of dicts, into which its steps write further keys. */
import type { Location } from "../../core/errors.ts";
import type { Both } from "../model.ts";
import { type Explanation, PythonError } from "./python/error.ts";
import { isDict, isList, type PyDict, type PyValue, typeName } from "./python/json.ts";

/** A node before its rates are numbers. */
export interface RawNode {
  readonly name: string;
  /** Every key but `children`, in the file's order; later keys at the end. */
  readonly fields: PyDict;
  /** Absent when the key is: an empty one still costs a class id (ids.ts). */
  readonly children?: readonly RawNode[];
}

/** A node with whole rates, Mbit/s. */
export interface RatedNode extends RawNode {
  readonly max: Both<number>;
  readonly min: Both<number>;
  readonly children?: readonly RatedNode[];
}

/** Where a node's rates stand. */
export const RATE_KEYS: Readonly<Record<"max" | "min", Both<string>>> = {
  max: { download: "downloadBandwidthMbps", upload: "uploadBandwidthMbps" },
  min: { download: "downloadBandwidthMbpsMin", upload: "uploadBandwidthMbpsMin" },
};

/** The name that no node can have: LibreQoS passes over it, taking it for a list of children. */
export const NO_NODE = "children";

/** A place in `network.json`. */
export const nodeLocation = (file: string, path: readonly string[]): Location => ({
  file,
  path: ["$", ...path.map((name) => `[${JSON.stringify(name)}]`)].join(""),
});

const NOT_A_NODE: Readonly<Record<string, string>> = {
  str: "string indices must be integers, not 'str'",
  list: "list indices must be integers or slices, not str",
};

/** What a level that is no object ends with. An empty text or array is as good as an empty object. */
export function levelEntries(level: PyValue, explain: () => Explanation): readonly [string, PyValue][] {
  if (isDict(level)) return [...level];
  const type = typeName(level);
  if (isList(level) || typeof level === "string") {
    if (level.length === 0) return [];
    throw new PythonError("TypeError", NOT_A_NODE[type]!, explain());
  }
  throw new PythonError("TypeError", `'${type}' object is not iterable`, explain());
}

/** The keys of a node. @throws PythonError TypeError when it is no object */
export function nodeFields(node: PyValue, explain: () => Explanation): PyDict {
  if (isDict(node)) return node;
  const type = typeName(node);
  throw new PythonError("TypeError", NOT_A_NODE[type] ?? `argument of type '${type}' is not iterable`, explain());
}
