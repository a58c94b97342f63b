/** Maxima come down the tree, and every rate of a node is cut to whole Mbit/s: 0.5 becomes 0, which tc refuses. */
import type { Both } from "../model.ts";
import { nodeLocation, RATE_KEYS, type RatedNode, type RawNode } from "./network.ts";
import { type Explanation, PythonError } from "./python/error.ts";
import { isNumber, type PyValue, typeName } from "./python/json.ts";
import { int, parseIntText, truncate } from "./python/number.ts";

/** `int(value)` of a value from the file; texts of whole numbers are fine. */
function wholeNumber(value: PyValue, explain: () => Explanation): number {
  if (isNumber(value)) return truncate(value, explain);
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string") return parseIntText(value, explain);
  const wanted = "int() argument must be a string, a bytes-like object or a real number";
  throw new PythonError("TypeError", `${wanted}, not '${typeName(value)}'`, explain());
}

/** What a node may send and is guaranteed, which bounds its children. */
export interface Bounds {
  readonly max: Both<number>;
  readonly min: Both<number>;
}

function inheritNode(node: RawNode, above: Bounds, file: string, path: readonly string[]): RatedNode {
  const whole = (key: string): number => {
    const explain = (): Explanation => ({
      reason: `Node "${node.name}" has no usable ${key}`,
      remedy: `Give ${key} as a number of Mbit/s`,
      where: nodeLocation(file, path),
    });
    const value = node.fields.get(key);
    if (value === undefined) throw new PythonError("KeyError", `'${key}'`, explain());
    return wholeNumber(value, explain);
  };
  const max = {
    download: Math.min(whole(RATE_KEYS.max.download), Math.trunc(above.max.download)),
    upload: Math.min(whole(RATE_KEYS.max.upload), Math.trunc(above.max.upload)),
  };
  const min = {
    download: Math.min(whole(RATE_KEYS.min.download), max.download, Math.trunc(above.min.download)),
    upload: Math.min(whole(RATE_KEYS.min.upload), max.upload, Math.trunc(above.min.upload)),
  };
  const fields = new Map<string, PyValue>([
    ...node.fields,
    [RATE_KEYS.max.download, int(max.download)],
    [RATE_KEYS.max.upload, int(max.upload)],
    [RATE_KEYS.min.download, int(min.download)],
    [RATE_KEYS.min.upload, int(min.upload)],
  ]);
  const children = node.children?.map((child) => inheritNode(child, { max, min }, file, [...path, child.name]));
  return { name: node.name, fields, max, min, ...(children && { children }) };
}

/**
 * Caps every node by those above it and by the line, minimums like maxima.
 *
 * @throws PythonError for rates that are no whole number's worth: nan, infinity, a list
 */
export const inheritMaxima = (nodes: readonly RawNode[], capacity: Both<number>, file: string): RatedNode[] =>
  nodes.map((node) => inheritNode(node, { max: capacity, min: capacity }, file, [node.name]));
