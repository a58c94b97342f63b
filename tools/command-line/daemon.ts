/** `sluiced` as data, from what its `--help` says: it has no table, and needs none. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Flag, Program } from "./model.ts";

const MAIN = join(import.meta.dirname, "../../src/daemon/main.ts");

/** A program that explains itself in one page. */
export interface HelpPage extends Program {
  /** What it has to say besides its flags, by title: signals. Each line is a term and what it means. */
  readonly sections: readonly (readonly [title: string, rows: readonly (readonly [term: string, meaning: string])[]])[];
}

/** `--config` with `FILE` when the usage line has a word behind it. */
function readFlag(term: string, brief: string, usage: string): Flag {
  const names = term.split(/[\s,]+/);
  const name = names.find((word) => word.startsWith("--"))?.slice(2);
  if (name === undefined)
    throw new TypeError(`Cannot read the flag "${term}" of --help: wanted a name with two dashes`);
  const placeholder = new RegExp(`--${name} ([A-Z]+)`).exec(usage)?.[1];
  return {
    name,
    aliases: names.flatMap((word) => (/^-\w$/.test(word) ? [word.slice(1)] : [])),
    brief,
    ...(placeholder !== undefined && { placeholder }),
    values: [],
    required: false,
    repeats: false,
    bare: false,
    negated: false,
  };
}

/**
 * Reads a page of help: `NAME VERSION: what it is`, then paragraphs, each a title in capitals and its indented lines. A
 * term and its meaning have two spaces or more between them.
 *
 * @throws TypeError when it is something else
 */
function readHelpPage(text: string): HelpPage {
  const [head = "", ...parts] = text.trim().split("\n\n");
  const [, name, brief] = /^(\S+)[^:]*: (.+)$/s.exec(head) ?? [];
  if (name === undefined || brief === undefined) throw new TypeError(`Cannot read the help that begins with "${head}"`);
  const paragraphs = new Map(
    parts.map((part) => {
      const [title = "", ...lines] = part.split("\n");
      return [title, lines.map((line) => line.trim())];
    }),
  );
  const rows = (lines: readonly string[]) =>
    lines.map((line) => {
      const [term = "", ...meaning] = line.split(/ {2,}/);
      return [term, meaning.join(" ")] as const;
    });
  const usage = paragraphs.get("USAGE")?.join(" ");
  if (usage === undefined) throw new TypeError(`Cannot read the help of ${name}: it has no USAGE`);
  const flags = rows(paragraphs.get("FLAGS") ?? []).map(([term, meaning]) => readFlag(term, meaning, usage));
  const others = [...paragraphs].filter(([title]) => title !== "USAGE" && title !== "FLAGS");
  return {
    name,
    root: { path: [], brief, usage, flags, arguments: [], children: [] },
    sections: others.map(([title, lines]) => [title, rows(lines)]),
  };
}

/** Asks the daemon. @throws Error when it cannot be started */
export const readDaemon = (): HelpPage =>
  readHelpPage(execFileSync(process.execPath, [MAIN, "--help"], { encoding: "utf8" }));
