/** Where the keys of a TOML text stand: smol-toml tells positions of syntax errors only. */
import type { Position } from "./json.ts";

const KEY_PART = /^\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*/;

/** Reads a dotted key; undefined when the text does not begin with one followed by `end`. */
function dottedKey(text: string, end: "=" | "]"): string[] | undefined {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    const match = KEY_PART.exec(rest);
    if (!match) return undefined;
    parts.push(match[1] ?? match[2] ?? match[3]!);
    rest = rest.slice(match[0].length);
    if (rest.startsWith(end)) return parts;
    if (!rest.startsWith(".")) return undefined;
    rest = rest.slice(1);
  }
}

/** The quotes of a multi-line string that a line leaves open, given those it begins inside of. */
function openQuotes(line: string, inside: string | undefined): string | undefined {
  let open = inside;
  for (const [found] of line.matchAll(/"""|'''|\\.|#.*|"(?!"")(?:[^"\\]|\\.)*"|'(?!'')[^']*'/g)) {
    if (open === undefined && (found === '"""' || found === "'''")) open = found;
    else if (found === open) open = undefined;
    else if (open !== undefined && found.startsWith("#") && found.includes(open)) open = undefined;
  }
  return open;
}

/** The path of a header's table: what is below a table of an array is below the last one that there is so far. */
function tablePath(key: readonly string[], isOneOfMany: boolean, counts: Map<string, number>): string[] {
  const path: string[] = [];
  for (const [i, part] of key.entries()) {
    path.push(part);
    const name = path.join(".");
    const count = counts.get(name) ?? 0;
    if (i < key.length - 1) {
      if (count > 0) path.push(String(count - 1));
    } else if (isOneOfMany) {
      counts.set(name, count + 1);
      path.push(String(count));
    }
  }
  return path;
}

/**
 * Finds every key that stands at the beginning of a line: table headers, and the (dotted) keys below them. A key inside
 * an inline table is not found; ask for the table then.
 *
 * @returns positions by path, such as `shaper.download`, or `relay.rules.1.outputs.0.ttl` of the first
 * `[[relay.rules.outputs]]` below the second `[[relay.rules]]`; of a repeated path the first
 */
export function keyPositions(text: string): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>();
  const counts = new Map<string, number>();
  let table: string[] = [];
  let open: string | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (open === undefined) {
      const column = line.length - line.trimStart().length + 1;
      const header = /^\s*(\[{1,2})/.exec(line)?.[0];
      const key = header ? dottedKey(line.slice(header.length), "]") : dottedKey(line, "=");
      if (header && key) table = tablePath(key, header.trim() === "[[", counts);
      const path = header ? (key ? table : []) : key ? [...table, ...key] : [];
      for (let length = 1; length <= path.length; length += 1) {
        const name = path.slice(0, length).join(".");
        if (!found.has(name)) found.set(name, { line: i + 1, column });
      }
    }
    open = openQuotes(line, open);
  }
  return found;
}
