/** Reads `[autorate]` of a `sluice.toml`: every link, with every problem at once. */
import { dirname, resolve } from "node:path";
import { type ConfigDocument, ConfigTable, type Keys, tableOf } from "../../core/config-table.ts";
import { Refusal } from "../../core/config-values.ts";
import { type Problem, problem, sortProblems } from "../../core/errors.ts";
import { asTable } from "../../core/toml.ts";
import type { AutorateConfig } from "../config.ts";
import { checkLinks } from "./between-links.ts";
import { ALL_LINK_KEYS, AUTORATE_TABLE, LINK_KEYS, LINK_TABLE } from "./keys.ts";
import { type LinkResult, readLink } from "./link.ts";
import { LinkTable } from "./link-table.ts";
import { type OptionTables, readOptionTable, readPluginTables, TABLE } from "./read-options.ts";

/** What {@link readAutorate} found. */
export interface AutorateResult {
  /** Absent when there is no `[autorate]`, or any problem is an error. */
  readonly config?: AutorateConfig;
  readonly problems: readonly Problem[];
}

/** Names of links stand in metrics, in routes and on command lines. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/;

/** Reads what holds for all links, with its problems. */
function readCommon(top: ConfigTable<Keys>, document: ConfigDocument, problems: Problem[]): OptionTables {
  const { at } = document;
  for (const { name, type, common } of ALL_LINK_KEYS) if (common) top.optional(name, type.read);
  const said = top.has("controller") ? LINK_KEYS.controller.type.read(asIs(top, "controller")) : undefined;
  const controller = said instanceof Refusal ? "" : (said ?? LINK_KEYS.controller.default);
  const options = readOptionTable(controller, "autorate.options", top.optional("options", TABLE) ?? {}, at);
  const plugins = readPluginTables(top, "autorate.plugin", at);
  problems.push(...options.problems, ...plugins.problems);
  return { controller, options: options.options, pluginSettings: plugins.settings, at };
}

/** A value as TOML gives it. */
const asIs = (table: ConfigTable<Keys>, key: string): unknown => table.optional(key, (value) => value);

/** Reads a link by its name; what cannot be a link at all is noted. */
function readNamed(name: string, value: unknown, document: ConfigDocument, tables: OptionTables): LinkResult {
  const { at } = document;
  const path = `autorate.links.${name}`;
  const refuse = (reason: string): LinkResult => ({ problems: [problem("CONFIG_VALUE", { path, reason }, at(path))] });
  const values = TABLE(value);
  if (values instanceof Refusal) return refuse(values.reason);
  if (!NAME.test(name))
    return refuse("the name of a link is 1 to 32 letters, digits, _ and -, such as [autorate.links.wan]");
  // Its problems are told once, where it is read by itself.
  const common = new ConfigTable("autorate", AUTORATE_TABLE, asTable(document.values["autorate"]) ?? {}, at);
  const link = new LinkTable(name, new ConfigTable(path, LINK_TABLE, values, at), common, at);
  return readLink(link, tables, dirname(resolve(document.file)));
}

/** Reads the links of a document. Paths are relative to its folder; the result has them absolute. */
export function readAutorate(document: ConfigDocument): AutorateResult {
  const top = tableOf(document, "autorate", AUTORATE_TABLE);
  if (!top) return { problems: [] };
  if ("problem" in top) return { problems: [top.problem] };
  const problems: Problem[] = [];
  const tables = readCommon(top, document, problems);
  const entries = Object.entries(top.optional("links", TABLE) ?? {});
  const results = entries.map(([name, value]) => readNamed(name, value, document, tables));
  const links = results.flatMap(({ link }) => link ?? []);
  problems.push(...top.problems, ...results.flatMap((result) => result.problems), ...checkLinks(links, document.at));
  const sorted = sortProblems(problems, [document.file]);
  return { ...(!sorted.some(({ severity }) => severity === "error") && { config: { links } }), problems: sorted };
}
