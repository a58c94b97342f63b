/** The tables below a link: `options` of its controller, and `plugin.NAME`. */
import { basename } from "node:path";
import { ConfigTable, type Keys } from "../../core/config-table.ts";
import { type ReadValue, Refusal, shown } from "../../core/config-values.ts";
import { type Problem, problem } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { asTable } from "../../core/toml.ts";
import type { Options } from "../config.ts";
import { CONTROLLER_OPTIONS } from "./options.ts";
import { checkCakeOptions } from "./options/cake.ts";
import type { OptionTable } from "./options/table.ts";
import type { LinkTable, Place } from "./link-table.ts";
import { LINK_KEYS } from "./keys.ts";
import { SCALAR, type Scalar } from "./value-type.ts";

/** What `[autorate]` has for the links. */
export interface OptionTables {
  /** Its controller, whose options its `options` are. */
  readonly controller: string;
  readonly options: Options;
  readonly pluginSettings: Readonly<Record<string, Options>>;
  readonly at: Place;
}

/** The options of a controller; undefined of a script. */
const tableOf = (controller: string): OptionTable | undefined =>
  Object.hasOwn(CONTROLLER_OPTIONS, controller) ? CONTROLLER_OPTIONS[controller] : undefined;

/** A table within a table. */
export const TABLE: ReadValue<Readonly<Record<string, unknown>>> = (value) =>
  asTable(value) ?? new Refusal(`it is ${shown(value)}, wanted a table of its own`);

/** Options, and what is wrong with them. */
export interface ReadOptions {
  readonly options: Options;
  readonly problems: readonly Problem[];
}

/** Reads keys that nobody has a table of: any plain value will do. */
function readAny(path: string, values: Readonly<Record<string, unknown>>, at: Place): ReadOptions {
  const keys: Keys = Object.fromEntries(Object.keys(values).map((key) => [key, ""]));
  const table = new ConfigTable(path, keys, values, at);
  const entries = Object.keys(values).flatMap((key): [string, Scalar][] => {
    const value = table.optional(key, SCALAR.read);
    return value === undefined ? [] : [[key, value]];
  });
  return { options: Object.fromEntries(entries), problems: table.problems };
}

/** Reads the options of a controller; of a script whatever is there. Without defaults. */
export function readOptionTable(
  controller: string,
  path: string,
  values: Readonly<Record<string, unknown>>,
  at: Place,
): ReadOptions {
  const known = tableOf(controller);
  if (!known) return readAny(path, values, at);
  const keys: Keys = Object.fromEntries(Object.entries(known).map(([key, row]) => [key, JSON.stringify(row.default)]));
  const table = new ConfigTable(path, keys, values, at);
  const entries = Object.entries(known).flatMap(([key, { type }]): [string, Scalar][] => {
    const value = table.optional(key, type.read);
    return value === undefined ? [] : [[key, value]];
  });
  return { options: Object.fromEntries(entries), problems: table.problems };
}

const defaultsOf = (controller: string): Options =>
  Object.fromEntries(Object.entries(tableOf(controller) ?? {}).map(([key, row]) => [key, row.default]));

/** What only all options together tell. */
function checkOptions(link: LinkTable, options: Options, at: Place): Problem[] {
  if (link.controller !== "cake") return [];
  const interval = link.value<number>(LINK_KEYS.interval);
  const reflectors = link.value<number>(LINK_KEYS.reflectors);
  return checkCakeOptions(options, interval / reflectors).map(({ key, severity, reason }) => {
    const path = link.path(`options.${key}`);
    return problem(severity === "error" ? "CONFIG_VALUE" : "AUTORATE_DOUBTFUL", { path, reason }, at(path));
  });
}

/** Reads the options of a link: its own, then those of `[autorate]` when the controller is the same, then the defaults. */
export function readOptions(link: LinkTable, tables: OptionTables): ReadOptions {
  const values = link.table.optional("options", TABLE) ?? {};
  const { controller } = link;
  const own = readOptionTable(controller, link.path("options"), values, tables.at);
  const shared = controller === tables.controller ? tables.options : {};
  const options = { ...defaultsOf(controller), ...shared, ...own.options };
  return {
    options,
    problems: [...own.problems, ...(own.problems.length > 0 ? [] : checkOptions(link, options, tables.at))],
  };
}

/** Reads `plugin.NAME` tables. */
export function readPluginTables(
  table: ConfigTable<Keys>,
  path: string,
  at: Place,
): { readonly settings: Readonly<Record<string, Options>>; readonly problems: readonly Problem[] } {
  const values = table.optional("plugin", TABLE) ?? {};
  const plugins = new ConfigTable(path, Object.fromEntries(Object.keys(values).map((key) => [key, ""])), values, at);
  const problems: Problem[] = [];
  const entries = Object.keys(values).flatMap((name): [string, Options][] => {
    const own = plugins.optional(name, TABLE);
    if (!own) return [];
    const read = readAny(`${path}.${name}`, own, at);
    problems.push(...read.problems);
    return [[name, read.options]];
  });
  return { settings: Object.fromEntries(entries), problems: [...plugins.problems, ...problems] };
}

/** What the file of a plugin makes of its name: sqm-autorate has sections without dashes. */
const sectionOf = (file: string): string => basename(file, ".lua").replaceAll("-", "_");

/** Reads the settings of a link's plugins: its own tables, with those of `[autorate]` behind them. */
export function readPluginSettings(
  link: LinkTable,
  tables: OptionTables,
  plugins: readonly string[],
  problems: Problem[],
): { readonly pluginSettings: Readonly<Record<string, Options>> } {
  const path = link.path("plugin");
  const own = readPluginTables(link.table, path, tables.at);
  problems.push(...own.problems);
  const sections = plugins.map((file) => sectionOf(file));
  for (const name of Object.keys(own.settings)) {
    if (sections.includes(name.replaceAll("-", "_"))) continue;
    const hint = didYouMean(name, sections);
    const reason = `no plugin of the link is called so${hint}`;
    problems.push(problem("AUTORATE_DOUBTFUL", { path: `${path}.${name}`, reason }, tables.at(`${path}.${name}`)));
  }
  const names = [...new Set([...Object.keys(tables.pluginSettings), ...Object.keys(own.settings)])];
  const merged = names.map((name) => [name, { ...tables.pluginSettings[name], ...own.settings[name] }] as const);
  return { pluginSettings: Object.fromEntries(merged) };
}
