/** Finding shared libraries by name, as the dynamic linker does: its cache, then the usual folders. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseLibraryCache } from "./library-cache-codec.ts";

const CACHE = "/etc/ld.so.cache";
const TRIPLE = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const FOLDERS = [`/lib/${TRIPLE}`, `/usr/lib/${TRIPLE}`, "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

const filesOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).toSorted() : []);

/**
 * The path of `libc`, `libc.so.6` or the like; undefined when there is none.
 *
 * @param root the folder that is `/` to whoever uses the library; empty for our own
 */
export function findLibrary(name: string, root = ""): string | undefined {
  // With a number behind: what ends in .so alone is for the linker, and may be a text.
  const wanted = (file: string): boolean => file === name || file.startsWith(`${name}.so.`);
  const entries = existsSync(`${root}${CACHE}`) ? parseLibraryCache(readFileSync(`${root}${CACHE}`)) : [];
  const cached = entries.find(({ name: file, path }) => wanted(file) && existsSync(`${root}${path}`));
  if (cached) return `${root}${cached.path}`;
  const found = FOLDERS.flatMap((folder) =>
    filesOf(`${root}${folder}`)
      .filter(wanted)
      .map((file) => join(`${root}${folder}`, file)),
  );
  return found[0];
}
