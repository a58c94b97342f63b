/** `network.json`: the tree of nodes, with everything that is wrong in it. */
import { type Location, type Problem, problem } from "../../core/errors.ts";
import { type JsonEntry, type JsonObject, type JsonValue, parseJson } from "../../core/json.ts";
import { nearest } from "../../core/nearest.ts";
import { type BitsPerSecond, bitsPerSecond } from "../../core/units.ts";
import { both } from "../../core/both.ts";
import type { Both, Direction, NetworkNode } from "../model.ts";
import { formatMbps, parseMbps, type RateKind, WANTED_MBPS } from "./mbps.ts";

/** What a name of the network stands for. */
export interface NamedNode {
  /** Name of the node that circuits naming this one hang on: itself, or for a virtual node the nearest real ancestor. */
  readonly attach?: string;
  readonly virtual: boolean;
  readonly where: Location;
}

/** What {@link parseNetwork} found. */
export interface Network {
  /** Virtual nodes are dissolved; nodes with an error in their rates are there, with a rate of 0. */
  readonly nodes: readonly NetworkNode[];
  /** Every name in the file; absent when the file could not be read to its end, so that nothing is known of names. */
  readonly names?: ReadonlyMap<string, NamedNode>;
  readonly problems: readonly Problem[];
}

const RATE_FIELDS: Readonly<Record<RateKind, Both<string>>> = {
  maximum: { download: "downloadBandwidthMbps", upload: "uploadBandwidthMbps" },
  minimum: { download: "downloadBandwidthMbpsMin", upload: "uploadBandwidthMbpsMin" },
};

/** The fields of a node that mean something; all others are passed over. */
const NODE_FIELDS: readonly string[] = [
  RATE_FIELDS.maximum.download,
  RATE_FIELDS.maximum.upload,
  RATE_FIELDS.minimum.download,
  RATE_FIELDS.minimum.upload,
  "children",
  "type",
  "virtual",
];

const step = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

function describe(value: JsonValue): string {
  if (value.kind === "object" || value.kind === "array") return `an ${value.kind}`;
  if (value.kind === "number") return `the number ${value.text}`;
  return value.kind === "string"
    ? `the text ${JSON.stringify(value.value)}`
    : String(value.kind === "null" ? null : value.value);
}

/** Why a name cannot be a node's. */
function nameFault(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (/\p{Cc}/u.test(name)) return "it holds a control character";
  if (name.toLowerCase() === "none") return 'a circuit whose parent is "none" hangs on the link itself';
  if (name === "link") return "the line to the Internet itself goes by this name";
  return undefined;
}

/** The surroundings of the node being read. */
interface Level {
  readonly path: string;
  /** Name of the nearest real node above. */
  readonly parent?: string;
}

class NetworkReader {
  readonly file: string;
  readonly problems: Problem[] = [];
  readonly names = new Map<string, NamedNode>();

  constructor(file: string) {
    this.file = file;
  }

  at(place: { line: number; column: number }, path: string): Location {
    return { file: this.file, line: place.line, column: place.column, path };
  }

  /** Reports keys that repeat; for nodes that is the same mistake as a name used twice, said once. */
  duplicateKeys(object: JsonObject, path: string): void {
    for (const { key, first, ...place } of object.entries) {
      if (!first) continue;
      this.problems.push(problem("NETWORK_DUPLICATE_KEY", { key, first: first.line }, this.at(place, step(path, key))));
    }
  }

  level(object: JsonObject, level: Level): NetworkNode[] {
    this.duplicateKeys(object, level.path);
    return object.entries.flatMap((entry) => this.node(entry, level));
  }

  /** A real node, or the children of a virtual one. */
  node(entry: JsonEntry, level: Level): NetworkNode[] {
    const name = entry.key.trim();
    const path = step(level.path, entry.key);
    const where = this.at(entry, path);
    const { value } = entry;
    const virtual = value.kind === "object" && this.isVirtual(value, name, path);
    this.claim(name, virtual ? level.parent : name, virtual, entry, where);
    if (value.kind !== "object") {
      this.shape(`node "${name}"`, value, "an object with rates and children", path);
      return [];
    }
    this.nearMisses(value, name, path);
    const type = this.field(value, "type");
    if (type && type.kind !== "string") this.shape(`the type of node "${name}"`, type, "a text", step(path, "type"));
    const parent = virtual ? level.parent : name;
    const children = this.children(value, name, { path, ...(parent !== undefined && { parent }) });
    this.duplicateKeys(value, path);
    if (virtual) return children;
    const max = both((d) => this.rate(value, name, where, "maximum", d) ?? bitsPerSecond(0));
    const min = both((d) => this.rate(value, name, where, "minimum", d) ?? bitsPerSecond(0));
    for (const d of ["download", "upload"] as const) this.minimum(value, name, path, d, min[d], max[d]);
    return [{ name, max, min, ...(type?.kind === "string" && { type: type.value }), children, where }];
  }

  /** Notes a name and what is wrong with it. */
  claim(name: string, attach: string | undefined, virtual: boolean, entry: JsonEntry, where: Location): void {
    const reason = nameFault(name);
    if (reason !== undefined) this.problems.push(problem("NETWORK_RESERVED_NAME", { name, reason }, where));
    const first = this.names.get(name);
    if (!first) {
      this.names.set(name, { ...(attach !== undefined && { attach }), virtual, where });
    } else if (!entry.first) {
      this.problems.push(
        problem("NETWORK_DUPLICATE_NODE", { name, first: first.where.line!, path: first.where.path! }, where),
      );
    }
  }

  children(node: JsonObject, name: string, level: Level): NetworkNode[] {
    const path = step(level.path, "children");
    return node.entries.flatMap(({ key, value }) => {
      if (key !== "children") return [];
      if (value.kind === "object") return this.level(value, { ...level, path });
      this.shape(`the children of node "${name}"`, value, "an object of nodes", path);
      return [];
    });
  }

  isVirtual(node: JsonObject, name: string, path: string): boolean {
    const type = this.field(node, "type");
    if (type?.kind === "string" && type.value.trim().toLowerCase() === "virtual") return true;
    const flag = this.field(node, "virtual");
    if (!flag || flag.kind === "boolean") return flag?.value ?? false;
    this.shape(`"virtual" of node "${name}"`, flag, "true or false", step(path, "virtual"));
    return false;
  }

  rate(node: JsonObject, name: string, where: Location, kind: RateKind, d: Direction): BitsPerSecond | undefined {
    const field = RATE_FIELDS[kind][d];
    const value = this.field(node, field);
    if (!value) {
      if (kind === "maximum") this.problems.push(problem("NETWORK_RATE_MISSING", { node: name, field }, where));
      return undefined;
    }
    const rate = value.kind === "number" ? parseMbps(value.text, kind) : undefined;
    if (rate === undefined) {
      const shown = value.kind === "number" ? value.text : describe(value);
      const wanted = value.kind === "number" ? WANTED_MBPS[kind] : `a number of ${WANTED_MBPS[kind]}`;
      const params = { node: name, field, value: shown, wanted };
      this.problems.push(problem("NETWORK_RATE_INVALID", params, this.at(value, step(where.path!, field))));
    }
    return rate;
  }

  minimum(node: JsonObject, name: string, path: string, d: Direction, min: BitsPerSecond, max: BitsPerSecond): void {
    const field = RATE_FIELDS.minimum[d];
    const value = this.field(node, field);
    if (!value || max === 0 || min <= max) return;
    const params = { node: name, field, min: formatMbps(min), max: formatMbps(max) };
    this.problems.push(problem("NETWORK_MIN_ABOVE_MAX", params, this.at(value, step(path, field))));
  }

  nearMisses(node: JsonObject, name: string, path: string): void {
    const missing = NODE_FIELDS.filter((field) => !this.field(node, field));
    for (const { key, ...place } of node.entries) {
      if (NODE_FIELDS.includes(key)) continue;
      const wanted = nearest(key, missing);
      if (wanted === undefined) continue;
      this.problems.push(
        problem("NETWORK_FIELD_UNKNOWN", { node: name, field: key, wanted }, this.at(place, step(path, key))),
      );
    }
  }

  field(node: JsonObject, key: string): JsonValue | undefined {
    return node.entries.find((entry) => entry.key === key)?.value;
  }

  shape(what: string, value: JsonValue, wanted: string, path: string): void {
    this.problems.push(problem("NETWORK_SHAPE", { what, actual: describe(value), wanted }, this.at(value, path)));
  }
}

/**
 * Reads a `network.json`. Rates keep their fractions down to whole bit/s; names are trimmed, as cells of the device
 * list are. `{}` is a flat network.
 *
 * @param file how the file is called in problems
 */
export function parseNetwork(text: string, file: string): Network {
  const { root, faults } = parseJson(text);
  const syntax = faults.map(({ reason, line, column }) =>
    problem("NETWORK_SYNTAX", { reason }, { file, line, column }),
  );
  if (!root) return { nodes: [], problems: syntax };
  const reader = new NetworkReader(file);
  if (root.kind !== "object") {
    reader.shape("the network", root, "an object of nodes ({} for a flat network)", "$");
    return { nodes: [], problems: [...syntax, ...reader.problems] };
  }
  const nodes = reader.level(root, { path: "$" });
  return { nodes, names: reader.names, problems: [...syntax, ...reader.problems] };
}
