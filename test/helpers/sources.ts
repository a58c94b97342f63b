/** The source tree as data for the tests of the house rules: files, their imports, and what those lead to. */
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** The project's folder. */
export const ROOT = join(import.meta.dirname, "../..");

/** One `import` or `export ... from`. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the project's folder for a file, else the specifier. */
  readonly target: string;
  /** Erased before the program runs: `import type`. */
  readonly typeOnly: boolean;
  /** `import("...")`: happens when that line runs. */
  readonly lazy: boolean;
  /** The names between the braces, as written. */
  readonly names: readonly string[];
}

/** A TypeScript file of ours. */
export interface Source {
  /** From the project's folder, `src/core/units.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

const STATIC = /^(?:import|export)\s+(?<type>type\s+)?(?<what>[\w*\s{},$]*?)\s*from\s*"(?<specifier>[^"]+)"/gm;
const BARE = /^import\s+"(?<specifier>[^"]+)"/gm;
const LAZY = /\bimport\("(?<specifier>[^"]+)"\)/g;

/** The imports of a file's text; `path` is where it lies, from the project's folder. */
export function importsOf(path: string, text: string): Import[] {
  const make = (match: RegExpExecArray, lazy: boolean): Import => {
    const { specifier = "", type, what = "" } = match.groups ?? {};
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier;
    const names = what
      .replaceAll(/[{}]/g, "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    return { specifier, target, typeOnly: type !== undefined, lazy, names };
  };
  return [
    ...Array.from(text.matchAll(STATIC), (match) => make(match, false)),
    ...Array.from(text.matchAll(BARE), (match) => make(match, false)),
    ...Array.from(text.matchAll(LAZY), (match) => make(match, true)),
  ];
}

/** All files a glob finds, with their imports, sorted by path. */
export function readSources(glob: string): Source[] {
  return globSync(glob, { cwd: ROOT })
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text, lines: text.split("\n").length - 1, imports: importsOf(path, text) };
    });
}

/** Code without comments. Strings that hold comment signs are not understood; the callers look for plain words only. */
export const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(?<=^|\s)\/\/.*$/gm, "");

/**
 * What loading a file loads: all it imports when it starts, directly or not, each with the path of files that leads
 * there. Types and lazy imports load nothing.
 */
export function loadedBy(start: string, sources: ReadonlyMap<string, Source>): Map<string, readonly string[]> {
  const routes = new Map<string, readonly string[]>([[start, [start]]]);
  for (const [path, route] of routes) {
    for (const { target, typeOnly, lazy } of sources.get(path)?.imports ?? []) {
      if (!typeOnly && !lazy && !routes.has(target)) routes.set(target, [...route, target]);
    }
  }
  routes.delete(start);
  return routes;
}
