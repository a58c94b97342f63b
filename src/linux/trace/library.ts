/** Finding shared libraries by name, as the dynamic linker does: its cache, then the usual folders. */
import { existsSync, readFileSync } from "node:fs";
import { parseLibraryCache } from "./library-cache-codec.ts";

const CACHE = "/etc/ld.so.cache";
const FOLDERS = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/** The path of `libc`, `libc.so.6` or the like; undefined when there is none. */
export function findLibrary(name: string): string | undefined {
  const entries = existsSync(CACHE) ? parseLibraryCache(readFileSync(CACHE)) : [];
  const wanted = (file: string): boolean => file === name || file.startsWith(`${name}.so`);
  const cached = entries.find(({ name: file, path }) => wanted(file) && existsSync(path));
  if (cached) return cached.path;
  return FOLDERS.flatMap((folder) => [`${folder}/${name}`, `${folder}/${name}.so`]).find((path) => existsSync(path));
}
