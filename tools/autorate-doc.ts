/** The tables about autorate's configuration in docs/configuration.md and docs/autorate-import.md, from the tables of its keys. */
import { defaultOf, type Key } from "../src/autorate/settings/key.ts";
import { ALL_LINK_KEYS } from "../src/autorate/settings/keys.ts";
import { flatVariable, luaVariable, rustVariable, type UpstreamName } from "../src/autorate/settings/names.ts";
import { CONTROLLER_OPTIONS } from "../src/autorate/settings/options.ts";
import type { OptionTable } from "../src/autorate/settings/options/table.ts";
import { CAKE_OPTIONS } from "../src/autorate/settings/options/cake.ts";
import { UPSTREAM_ROWS } from "../src/autorate/settings/upstream/rows.ts";
import { markdownTable } from "./markdown-table.ts";

const code = (text: string): string => (text === "" ? "" : `\`${text}\``);
/** A value as TOML writes it. */
const toml = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(", ")}]` : JSON.stringify(value);

/** What holds when a key is left out. */
function usualText(key: Key<unknown>): string {
  if (key.usual !== undefined) return key.usual;
  if (key.default === undefined) return "";
  const others = Object.keys(key.defaultWith ?? {}).map(
    (controller) => `${code(toml(defaultOf(key, controller)))} with ${code(controller)}`,
  );
  return [code(toml(key.default)), ...others].join("; ");
}

const HEAD = ["key", "value", "default", "meaning"];

/** Every key of a link. */
const keys = (): string =>
  markdownTable(
    HEAD,
    ALL_LINK_KEYS.map((key) => [code(key.name), key.type.wanted, usualText(key), key.help]),
  );

const optionRows = (table: OptionTable): string[][] =>
  Object.entries(table).map(([key, row]) => [code(key), row.type.wanted, code(toml(row.default)), row.help]);

/** The options of each controller. */
const options = (): string =>
  Object.entries(CONTROLLER_OPTIONS)
    .map(([name, table]) => `### ${name}\n\n${markdownTable(HEAD, optionRows(table))}`)
    .join("\n\n");

/** The variables of a setting: of the program in Lua, and of the one in Rust with its earlier name. */
function variables(name: UpstreamName): string[] {
  const { programs } = name;
  const lua = programs.includes("lua") ? [luaVariable(name)] : [];
  const rust = programs.includes("rust") ? [rustVariable(name), flatVariable(name)] : [];
  return [...new Set([...lua, ...rust])];
}

const PROGRAMS = { lua: "sqm-autorate", rust: "sqm-autorate-rust" } as const;

/** What the other programs call what is a key here. */
function names(): string {
  const cake = new Map<string, string>([
    ...ALL_LINK_KEYS.flatMap(({ name, cake: variable }): [string, string][] => (variable ? [[name, variable]] : [])),
    ...Object.keys(CAKE_OPTIONS).map((key): [string, string] => [`options.${key}`, key]),
  ]);
  const sqm = new Map<string, UpstreamName>(
    [...UPSTREAM_ROWS.values()].flatMap((row) => row.keys.map((key): [string, UpstreamName] => [key, row.name])),
  );
  const rows = [...new Set([...ALL_LINK_KEYS.map(({ name }) => name), ...sqm.keys(), ...cake.keys()])].flatMap(
    (key) => {
      const name = sqm.get(key);
      const variable = cake.get(key) ?? "";
      if (!name && variable === "") return [];
      const programs = name?.programs.length === 1 ? ` (${PROGRAMS[name.programs[0]!]})` : "";
      return [
        [
          code(key),
          name ? `${code(name.field)}${programs}` : "",
          name
            ? variables(name)
                .map((each) => code(each))
                .join(", ")
            : "",
          (name?.flags ?? []).map((flag) => code(flag)).join(", "),
          code(variable),
        ],
      ];
    },
  );
  return markdownTable(["key", "UCI and TOML", "environment", "flags", "cake-autorate"], rows);
}

/** Tables by their names, for each page. */
export const AUTORATE_PAGES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "configuration.md": { "autorate keys": keys, "autorate options": options },
  "autorate-import.md": { "autorate names": names },
};
