/** The dynamic linker's cache in its new format (ld.so.cache of glibc 2.2 and later). */

const MAGIC = "glibc-ld.so.cache1.1";
const HEADER = 48;
const ENTRY = 24;

/** A library that the cache knows. */
export interface CachedLibrary {
  readonly name: string;
  readonly path: string;
}

/** The libraries of a cache; none when it is of another format. */
export function parseLibraryCache(cache: Buffer): CachedLibrary[] {
  const start = cache.indexOf(MAGIC);
  if (start < 0) return [];
  const table = cache.subarray(start);
  const text = (offset: number): string => table.toString("utf8", offset, table.indexOf(0, offset));
  return Array.from({ length: table.readUInt32LE(20) }, (_, i) => {
    const entry = HEADER + i * ENTRY;
    return { name: text(table.readUInt32LE(entry + 4)), path: text(table.readUInt32LE(entry + 8)) };
  });
}
