/**
 * From the settings of other programs to the `[autorate]` part of a `sluice.toml`. Pure: the files are already read. What is
 * written is read back before it is given, so that it never is something that sluice would refuse.
 */
import { parseDocument } from "../../../core/config-table.ts";
import { type Problem, problem } from "../../../core/errors.ts";
import { readAutorate } from "../read.ts";
import type { LuaSources } from "../upstream/lua.ts";
import type { RustSources } from "../upstream/rust.ts";
import type { ShellFile } from "../upstream/shell.ts";
import { importCake } from "./from-cake.ts";
import { importLua } from "./from-lua.ts";
import { importRust } from "./from-rust.ts";
import type { ImportedLink, ImportResult, Left } from "./imported.ts";
import { autorateLines, type TomlLine } from "./toml-text.ts";

/** What is imported: the files of one program, or several configurations of cake-autorate, a link each. */
export type ImportSources =
  | { readonly program: "lua"; readonly sources: LuaSources }
  | { readonly program: "rust"; readonly sources: RustSources }
  | { readonly program: "cake"; readonly scripts: readonly { readonly file: string; readonly script: ShellFile }[] };

/** What comes of it. */
export interface Imported {
  /** Absent when a problem is an error. */
  readonly toml?: string;
  readonly left: readonly (Left & { readonly link: string })[];
  readonly problems: readonly Problem[];
}

const PROGRAMS = { lua: "sqm-autorate", rust: "sqm-autorate-rust", cake: "cake-autorate" } as const;

function importAll(from: ImportSources): readonly ImportResult[] {
  switch (from.program) {
    case "lua":
      return [importLua(from.sources)];
    case "rust":
      return [importRust(from.sources)];
    case "cake":
      return from.scripts.map(({ script, file }) => importCake(script, file));
  }
}

const WRITTEN = "sluice.toml";

/** What sluice has to say about what was written, each at the place where it was set. */
function readBack(lines: readonly TomlLine[]): readonly Problem[] {
  const document = parseDocument(textOf(lines), WRITTEN);
  if ("problem" in document) return [document.problem];
  return readAutorate(document).problems.map(({ where, ...found }) => {
    const origin = lines[(where?.line ?? 0) - 1]?.entry?.where;
    return origin ? { ...found, where: origin } : found;
  });
}

const textOf = (lines: readonly TomlLine[]): string => lines.map(({ text }) => `${text}\n`).join("");

/** Names that two links have in common. */
function sameNames(links: readonly ImportedLink[]): Problem[] {
  return links.flatMap(({ name }, at) =>
    links.findIndex((other) => other.name === name) === at
      ? []
      : [problem("AUTORATE_IMPORT_VALUE", { setting: name, reason: "two links would have this name" })],
  );
}

/** Imports. @param from names of what was read, for the head of the text */
export function importSettings(sources: ImportSources, from: readonly string[]): Imported {
  const results = importAll(sources);
  const links = results.flatMap(({ link }) => link ?? []);
  const problems = [...results.flatMap((result) => result.problems), ...sameNames(links)];
  const left = links.flatMap((link) => link.left.map((each) => ({ ...each, link: link.name })));
  if (problems.some(({ severity }) => severity === "error")) return { left, problems };
  const head = [
    `Made from ${from.join(", ")} by "sluice autorate import": what ${PROGRAMS[sources.program]} did.`,
    '"sluice check" looks it through, and changes nothing.',
  ];
  const lines = autorateLines(head, links);
  const told = readBack(lines);
  const refused = told.some(({ severity }) => severity === "error");
  return { ...(!refused && { toml: textOf(lines) }), left, problems: [...problems, ...told] };
}
