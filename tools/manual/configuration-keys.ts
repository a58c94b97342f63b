/** The keys of `sluice.toml`, from the tables that read it, with what docs/configuration.md says about each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ALL_LINK_KEYS } from "../../src/autorate/settings/keys.ts";
import { SETTINGS_KEYS } from "../../src/control/settings.ts";
import { OUTPUT_KEYS, RULE_KEYS } from "../../src/relay/rules/read.ts";
import { RELAY_KEYS } from "../../src/relay/settings.ts";
import { SHAPER_KEYS } from "../../src/shaper/config.ts";

/** A table for each link; `[autorate]` itself has what they have in common. */
const LINK = "autorate.links.NAME";
const PAGE = join(import.meta.dirname, "../../docs/configuration.md");

/** A row of the documentation, in Markdown. */
export interface Described {
  readonly value: string;
  readonly default: string;
  readonly meaning: string;
}

/** A key with an example. */
export interface ConfigurationKey {
  readonly key: string;
  /** As TOML writes it. */
  readonly example: string;
  /** Undefined where the documentation leaves it out. */
  readonly described?: Described;
}

/** A table of the file. */
export interface ConfigurationTable {
  /** With brackets of its own for one of many: `[relay.rules]` of `[[relay.rules]]`. */
  readonly name: string;
  readonly keys: readonly ConfigurationKey[];
}

/** The rows of a page below `## [table]`, or `### [[table]]` for one of many, by `table.key`: `| key | value | default | meaning |`. */
export function describedKeys(markdown: string): Map<string, Described> {
  const rows = new Map<string, Described>();
  let table = "";
  for (const line of markdown.split("\n")) {
    const [, mark, title = ""] = /^(###?) (.*)/.exec(line) ?? [];
    const named = /^\[([\w.]+|\[[\w.]+\])\]/.exec(title)?.[1];
    if (mark === "##" || named !== undefined) table = named ?? "";
    // A bar within a cell is written with a backslash.
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(String.raw`\|`, "|"));
    const key = /^`(\w+)`$/.exec(cells[1] ?? "")?.[1];
    if (table === "" || key === undefined || cells.length !== 6) continue;
    rows.set(`${table}.${key}`, { value: cells[2]!, default: cells[3]!, meaning: cells[4]! });
  }
  return rows;
}

/** All tables, in the order of the documentation. */
export function configurationTables(): ConfigurationTable[] {
  const described = describedKeys(readFileSync(PAGE, "utf8"));
  const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    shaper: SHAPER_KEYS,
    [LINK]: Object.fromEntries(ALL_LINK_KEYS.map(({ name, example }) => [name, example])),
    relay: RELAY_KEYS,
    "[relay.rules]": RULE_KEYS,
    "[relay.rules.outputs]": OUTPUT_KEYS,
    ...SETTINGS_KEYS,
  };
  return Object.entries(tables).map(([name, keys]) => ({
    name,
    keys: Object.entries(keys).map(([key, example]) => {
      const row = described.get(`${name}.${key}`);
      return { key, example, ...(row && { described: row }) };
    }),
  }));
}
