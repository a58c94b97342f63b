/** Tables of `sluice.toml`, each read by a list of its keys, with every problem at once. */
import { type ReadValue, Refusal } from "./config-values.ts";
import { type Location, type Problem, problem } from "./errors.ts";
import type { Position } from "./json.ts";
import { didYouMean } from "./nearest.ts";
import { asTable, parseToml } from "./toml.ts";
import { keyPositions } from "./toml-lines.ts";

/** Every table that there is; who reads a table reads only its own. */
const CONFIG_TABLES: readonly string[] = ["shaper", "autorate", "relay", "daemon", "api", "bakery", "log"];

/** Keys of a table, each with an example. */
export type Keys = Readonly<Record<string, string>>;

/** A table being read; collects what is wrong with it. */
export class ConfigTable<K extends Keys> {
  readonly problems: Problem[] = [];
  readonly #name: string;
  readonly #keys: K;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #at: (path: string) => Location;

  constructor(name: string, keys: K, values: Readonly<Record<string, unknown>>, at: (path: string) => Location) {
    this.#name = name;
    this.#keys = keys;
    this.#values = values;
    this.#at = at;
    for (const key of Object.keys(values)) {
      if (Object.hasOwn(keys, key)) continue;
      const path = `${name}.${key}`;
      const hint = didYouMean(key, Object.keys(keys));
      this.problems.push(problem("CONFIG_KEY_UNKNOWN", { path, hint }, at(path)));
    }
  }

  /** Whether the key is there. */
  has(key: keyof K & string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  /** Notes why a value cannot be used. */
  refuse(key: keyof K & string, reason: string): undefined {
    const path = `${this.#name}.${key}`;
    this.problems.push(problem("CONFIG_VALUE", { path, reason }, this.#at(path)));
  }

  /** The value, or undefined when it is not there or not usable (then noted). */
  optional<T>(key: keyof K & string, read: ReadValue<T>): T | undefined {
    if (!this.has(key)) return undefined;
    const value = read(this.#values[key]);
    return value instanceof Refusal ? this.refuse(key, value.reason) : value;
  }

  /** The value; its absence is noted too. */
  required<T>(key: keyof K & string, read: ReadValue<T>): T | undefined {
    if (this.has(key)) return this.optional(key, read);
    const params = { path: `${this.#name}.${key}`, example: `${key} = ${this.#keys[key]!}` };
    this.problems.push(problem("CONFIG_MISSING", params, this.#at(this.#name)));
    return undefined;
  }
}

/** A whole `sluice.toml`, parsed but not yet understood. */
export interface ConfigDocument {
  readonly file: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Where a key stands, or the table that it is in. */
  readonly at: (path: string) => Location;
  /** Tables and keys that nobody knows. */
  readonly problems: readonly Problem[];
}

/** Where a key stands, or the innermost table around it that is found. */
function nearestPosition(positions: ReadonlyMap<string, Position>, path: string): Position {
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    const found = positions.get(path.slice(0, end));
    if (found) return found;
  }
  return { line: 1, column: 1 };
}

/**
 * Parses the text of a `sluice.toml`.
 *
 * @param belongs for a key outside of all tables: the table that has it
 */
export function parseDocument(
  toml: string,
  file: string,
  belongs: (key: string) => string | undefined = () => undefined,
): ConfigDocument | { readonly problem: Problem } {
  const parsed = parseToml(toml, file);
  if ("problem" in parsed) return parsed;
  const { values } = parsed;
  const positions = keyPositions(toml);
  const at = (path: string): Location => ({ file, ...nearestPosition(positions, path) });
  const problems = Object.keys(values).flatMap((key) => {
    if (CONFIG_TABLES.includes(key)) return [];
    const table = belongs(key);
    const hint = table === undefined ? didYouMean(key, CONFIG_TABLES) : `; it belongs below [${table}]`;
    return [problem("CONFIG_KEY_UNKNOWN", { path: key, hint }, at(key))];
  });
  return { file, values, at, problems };
}

/** A table of a document: undefined when there is none; a problem when that name is something else. */
export function tableOf<K extends Keys>(
  { values, at }: ConfigDocument,
  name: string,
  keys: K,
): ConfigTable<K> | { readonly problem: Problem } | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const table = asTable(value);
  if (table) return new ConfigTable(name, keys, table, at);
  const reason = `it is no table; write [${name}] on a line of its own`;
  return { problem: problem("CONFIG_VALUE", { path: name, reason }, at(name)) };
}
