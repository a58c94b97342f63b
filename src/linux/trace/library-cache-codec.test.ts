import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { functionSymbols } from "./elf-symbols-codec.ts";
import { findLibrary } from "./library.ts";
import { type CachedLibrary, parseLibraryCache } from "./library-cache-codec.ts";

test("a cache of two libraries is read, with whatever stands before it", () => {
  const strings = "libx.so.1\0/opt/libx.so.1\0liby.so\0/opt/liby.so\0";
  const table = 48 + 2 * 24;
  const cache = Buffer.alloc(table + strings.length);
  cache.write("glibc-ld.so.cache1.1");
  cache.writeUInt32LE(2, 20);
  const at = (text: string): number => table + strings.indexOf(text);
  for (const [i, [name, path]] of [
    ["libx.so.1\0", "/opt/libx"],
    ["liby.so\0", "/opt/liby"],
  ].entries()) {
    cache.writeUInt32LE(at(name!), 48 + 24 * i + 4);
    cache.writeUInt32LE(at(path!), 48 + 24 * i + 8);
  }
  cache.write(strings, table, "latin1");
  const wanted = [
    { name: "libx.so.1", path: "/opt/libx.so.1" },
    { name: "liby.so", path: "/opt/liby.so" },
  ];
  assert.deepEqual(parseLibraryCache(cache), wanted);
  assert.deepEqual(parseLibraryCache(Buffer.concat([Buffer.alloc(64), cache])), wanted);
  assert.deepEqual(parseLibraryCache(Buffer.from("something else")), []);
});

test("the C library is found, and its functions with their places in the file", () => {
  const path = findLibrary("libc")!;
  const symbols = functionSymbols(readFileSync(path));
  const found = symbols.find(({ name }) => name === "getpriority")!;
  assert.ok(found.offset > 0 && found.size > 0);
  assert.throws(() => functionSymbols(Buffer.from("no")), /ELF/);
});

/** A cache as ldconfig writes it: a header, 24 bytes for each library, their texts. */
function cacheOf(libraries: readonly CachedLibrary[]): Buffer {
  const entries = Buffer.alloc(48 + 24 * libraries.length);
  entries.write("glibc-ld.so.cache1.1");
  entries.writeUInt32LE(libraries.length, 20);
  const texts: Buffer[] = [];
  let end = entries.length;
  const text = (value: string): number => {
    const bytes = Buffer.from(`${value}\0`);
    texts.push(bytes);
    end += bytes.length;
    return end - bytes.length;
  };
  for (const [i, { name, path }] of libraries.entries()) {
    entries.writeUInt32LE(text(name), 48 + 24 * i + 4);
    entries.writeUInt32LE(text(path), 48 + 24 * i + 8);
  }
  return Buffer.concat([entries, ...texts]);
}

test("every library that is written is read, in the cache's order", () => {
  const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
      const libraries = pairs.map(([name, path]) => ({ name, path }));
      assert.deepEqual(parseLibraryCache(cacheOf(libraries)), libraries);
    }),
  );
});

test("a cache that ends early is refused", () => {
  assert.throws(() => parseLibraryCache(cacheOf([{ name: "libz.so.1", path: "/lib/libz.so.1" }]).subarray(0, 50)), {
    name: "RangeError",
  });
});
