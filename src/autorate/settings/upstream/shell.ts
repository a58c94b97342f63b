/**
 * The configuration of cake-autorate: a shell script, of which nothing is executed. Read are plain assignments with plain
 * values, in quotes or not, and arrays of them; whatever would need a shell to be understood is a fault, for then nobody
 * could say what the value is.
 */
import type { Position } from "../../../core/json.ts";
import type { UciFault } from "./uci-words.ts";

/** What a variable is given. */
export interface Assignment extends Position {
  readonly value: string | readonly string[];
}

/** A script of assignments. */
export interface ShellFile {
  /** By name; of several the last. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** In the order of the file. */
  readonly faults: readonly UciFault[];
}

/** What stands in the way of reading on; the line is given up. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

const SPECIAL = /[|&;<>(){}*?[\]~!]/;

/** The characters of a script, with where they stand. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  get position(): Position {
    const before = this.#text.slice(0, this.#at);
    return { line: before.split("\n").length, column: this.#at - before.lastIndexOf("\n") };
  }

  /** Takes what a sticky pattern fits; undefined when it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, `${pattern.flags}y`);
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text) ?? undefined;
    if (found) this.#at = sticky.lastIndex;
    return found;
  }
}

/** A number within `$((...))`: the one expansion whose value stands there as it is. */
function takeLiteral(reader: Reader): string | undefined {
  const number = reader.take(/\$\(\(\s*(0[xX][\da-fA-F]+|0|[1-9]\d*)\s*\)\)/)?.[1];
  return number === undefined ? undefined : String(Number(number));
}

function takeDouble(reader: Reader): string {
  let value = "";
  for (;;) {
    if (reader.take(/"/)) return value;
    const escaped = reader.take(/\\(["\\$`\n])/)?.[1];
    if (escaped !== undefined) value += escaped === "\n" ? "" : escaped;
    else {
      const plain = takeLiteral(reader) ?? reader.take(/[^"\\$`]+|\\/)?.[0];
      if (plain === undefined)
        throw new Unreadable(reader.done ? "a quote does not end" : "its value is made by the shell");
      value += plain;
    }
  }
}

/** A word with its quotes taken off; undefined when there is none. */
function takeWord(reader: Reader): string | undefined {
  let value: string | undefined;
  for (;;) {
    const single = reader.take(/'([^']*)'/)?.[1];
    let part = single ?? reader.take(/\\([^\n])/)?.[1] ?? takeLiteral(reader);
    if (part === undefined && reader.take(/"/)) part = takeDouble(reader);
    part ??=
      reader.take(/[^\s'"\\$`#|&;<>(){}*?[\]~!]+/)?.[0] ?? (value === undefined ? undefined : reader.take(/#+/)?.[0]);
    if (part === undefined && reader.take(/'/)) throw new Unreadable("a quote does not end");
    if (part === undefined) return value;
    value = (value ?? "") + part;
  }
}

/** Blanks, line ends and comments within an array. */
const skipFill = (reader: Reader): void => {
  while (reader.take(/\s+|#[^\n]*/));
};

function takeArray(reader: Reader): string[] {
  const items: string[] = [];
  for (skipFill(reader); !reader.take(/\)/); skipFill(reader)) {
    const word = takeWord(reader);
    if (word === undefined)
      throw new Unreadable(reader.done ? "a ( does not end" : "an entry of it is made by the shell");
    items.push(word);
  }
  return items;
}

function takeStatement(reader: Reader): readonly [name: string, value: string | readonly string[]] {
  const name = reader.take(/(?:(?:export|readonly|declare|local)[^\S\n]+)?([A-Za-z_]\w*)=/)?.[1];
  if (name === undefined) throw new Unreadable("it is no assignment of a plain value");
  const value = reader.take(/\(/) ? takeArray(reader) : (takeWord(reader) ?? "");
  // The end of the statement, or what makes it something else than an assignment.
  if (!reader.take(/[^\S\n]*(?:#[^\n]*)?(?:\n|;|$(?![\s\S]))/)) {
    const next = reader.take(/[^\S\n]*(\S)/)?.[1] ?? "";
    throw new Unreadable(
      next === "$" || next === "`" || SPECIAL.test(next)
        ? "its value is made by the shell"
        : "it is a command with a variable before it",
    );
  }
  return [name, value];
}

/** Reads a script; never throws, and runs nothing. */
export function parseShell(text: string): ShellFile {
  const reader = new Reader(text.replaceAll("\r\n", "\n"));
  const assignments = new Map<string, Assignment>();
  const faults: UciFault[] = [];
  for (skipFill(reader); !reader.done; skipFill(reader)) {
    const { position } = reader;
    try {
      const [name, value] = takeStatement(reader);
      assignments.set(name, { value, ...position });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      faults.push({ ...position, reason: error.message });
      reader.take(/[^\n]*/);
    }
  }
  return { assignments, faults };
}
