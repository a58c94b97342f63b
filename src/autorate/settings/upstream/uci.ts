/**
 * OpenWrt's configuration files (UCI), as `uci` reads them: `package`, `config TYPE [NAME]`, `option NAME VALUE` and `list NAME
 * VALUE`, words bare or in quotes that may go over lines, several statements of a line parted by `;`, and comments. Every
 * fault is told at once.
 */
import type { Position } from "../../../core/json.ts";
import { type UciFault, type UciStatement, uciStatements } from "./uci-words.ts";

/** An option or a list. */
export interface UciOption extends Position {
  readonly value: string | readonly string[];
}

/** A section. */
export interface UciSection extends Position {
  readonly type: string;
  /** Absent of an anonymous one. */
  readonly name?: string;
  readonly options: ReadonlyMap<string, UciOption>;
}

/** A file. */
export interface UciFile {
  /** As the file says; it seldom does, its own name being the package's. */
  readonly package?: string;
  readonly sections: readonly UciSection[];
  /** In the order of the file. */
  readonly faults: readonly UciFault[];
}

const NAME = /^\w+$/;
/** They are names of files too. */
const PACKAGE = /^[\w-]+$/;
const TYPE = /^[!-~]+$/;

/** Words that follow each keyword. */
const COUNTS: Readonly<Record<string, readonly [least: number, most: number, wanted: string]>> = {
  package: [1, 1, "a name"],
  config: [1, 2, "a type and perhaps a name"],
  option: [2, 2, "a name and a value"],
  list: [2, 2, "a name and a value"],
};

type Section = UciSection & { readonly options: Map<string, UciOption> };

class UciBuilder {
  readonly sections: Section[] = [];
  readonly faults: UciFault[] = [];
  package: string | undefined;
  #now: Section | undefined;

  #refuse({ line, column }: Position, reason: string): void {
    this.faults.push({ line, column, reason });
  }

  add(statement: UciStatement): void {
    const { keyword, words } = statement;
    const counts = Object.hasOwn(COUNTS, keyword) ? COUNTS[keyword] : undefined;
    if (!counts) return this.#refuse(statement, `it begins with "${keyword}", wanted package, config, option or list`);
    const [least, most, wanted] = counts;
    if (words.length < least || words.length > most)
      return this.#refuse(statement, `${keyword} has ${words.length} words behind it, wanted ${wanted}`);
    const [first = "", second] = words;
    if (keyword === "config") return this.#config(statement, first, second);
    if (!(keyword === "package" ? PACKAGE : NAME).test(first))
      return this.#refuse(statement, `"${first}" is no name: letters, digits and _ are allowed in it`);
    if (keyword === "package") this.package = first;
    else if (!this.#now) this.#refuse(statement, `${keyword} "${first}" stands before the first config`);
    else this.#option(this.#now, statement, first, second ?? "");
    return undefined;
  }

  #config({ line, column }: Position, type: string, name: string | undefined): void {
    if (!TYPE.test(type)) return this.#refuse({ line, column }, `"${type}" is no type of a section`);
    if (name !== undefined && !NAME.test(name)) {
      return this.#refuse({ line, column }, `"${name}" is no name: letters, digits and _ are allowed in it`);
    }
    // A named section that comes again goes on.
    const known = name === undefined ? undefined : this.sections.find((section) => section.name === name);
    this.#now = known ?? { type, ...(name !== undefined && { name }), line, column, options: new Map() };
    if (!known) this.sections.push(this.#now);
    return undefined;
  }

  #option({ options }: Section, { keyword, line, column }: UciStatement, name: string, value: string): void {
    const before = options.get(name)?.value;
    // A later option takes the place of an earlier one; a list takes what is there in.
    const all = keyword === "option" ? value : [...(before === undefined ? [] : [before].flat()), value];
    options.set(name, { value: all, line, column });
  }
}

/** Reads a file; never throws. */
export function parseUci(text: string): UciFile {
  const { statements, fault } = uciStatements(text);
  const builder = new UciBuilder();
  for (const statement of statements) builder.add(statement);
  const { sections, package: name } = builder;
  const faults = fault ? [...builder.faults, fault] : builder.faults;
  return { ...(name !== undefined && { package: name }), sections, faults };
}

/** The first section of a type, whether it has a name or not: what `uci` calls `@TYPE[0]`. */
export const firstSection = ({ sections }: UciFile, type: string): UciSection | undefined =>
  sections.find((section) => section.type === type);
