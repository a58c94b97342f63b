import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { tinyElf } from "../../../test/helpers/tiny-elf.ts";
import { functionSymbols } from "./elf-symbols-codec.ts";

const SHT_DYNSYM = 11;
const OBJECT = 1;
const IFUNC = 10;

describe("symbols of a file", () => {
  test("functions have their place in the file, not in memory, whatever stands in their names", () => {
    const { file, offsets } = tinyElf([
      { name: "main.main", code: Buffer.alloc(9) },
      { name: "net/http.(*Server).Serve", code: Buffer.alloc(24) },
      { name: "quick.cold", code: Buffer.alloc(1) },
    ]);
    assert.deepEqual(functionSymbols(file), [
      { name: "main.main", offset: offsets.get("main.main"), size: 9 },
      { name: "net/http.(*Server).Serve", offset: offsets.get("net/http.(*Server).Serve"), size: 24 },
      { name: "quick.cold", offset: offsets.get("quick.cold"), size: 1 },
    ]);
  });

  test("data and imports are no functions; one that is chosen at run time is", () => {
    const { file } = tinyElf([
      { name: "entry", code: Buffer.alloc(8) },
      { name: "data", code: Buffer.alloc(8), type: OBJECT },
      { name: "import", code: Buffer.alloc(8), imported: true },
      { name: "chosen", code: Buffer.alloc(8), type: IFUNC },
    ]);
    assert.deepEqual(
      functionSymbols(file).map(({ name }) => name),
      ["entry", "chosen"],
    );
  });

  test("a function outside of what is loaded has no place", () => {
    const { file } = tinyElf([{ name: "entry", code: Buffer.alloc(8) }]);
    // The segment's size in the file.
    file.writeBigUInt64LE(0x10n, 64 + 32);
    assert.deepEqual(functionSymbols(file), []);
  });

  test("a stripped library still has its dynamic symbols", () => {
    const { file } = tinyElf([{ name: "getpriority", code: Buffer.alloc(16) }], SHT_DYNSYM);
    assert.deepEqual(
      functionSymbols(file).map(({ name, size }) => [name, size]),
      [["getpriority", 16]],
    );
  });

  test("every function that is written is read", () => {
    const name = fc.stringMatching(/^[\w.$*()/]{1,30}$/);
    const symbols = fc.uniqueArray(fc.record({ name, code: fc.uint8Array({ maxLength: 40 }) }), {
      selector: (symbol) => symbol.name,
      maxLength: 12,
    });
    fc.assert(
      fc.property(symbols, (wanted) => {
        const { file, offsets } = tinyElf(wanted);
        const read = functionSymbols(file);
        assert.deepEqual(
          read,
          wanted.map(({ name: text, code }) => ({ name: text, offset: offsets.get(text), size: code.length })),
        );
        for (const [i, { offset, size }] of read.entries())
          assert.deepEqual(file.subarray(offset, offset + size), Buffer.from(wanted[i]!.code));
      }),
    );
  });

  test("what is no 64-bit little-endian file is refused", () => {
    const { file } = tinyElf([{ name: "entry", code: Buffer.alloc(8) }]);
    const changed = (offset: number, value: number): Buffer => {
      const copy = Buffer.from(file);
      copy[offset] = value;
      return copy;
    };
    const refused = [
      Buffer.alloc(0),
      Buffer.from("#!/bin/sh\n".repeat(20)),
      file.subarray(0, 63),
      changed(0, 0),
      changed(4, 1),
      changed(5, 2),
    ];
    for (const image of refused)
      assert.throws(() => functionSymbols(image), {
        name: "TypeError",
        message: "it is not a 64-bit little-endian ELF file",
      });
  });

  test("a file that ends before its tables is refused", () => {
    const { file } = tinyElf([{ name: "entry", code: Buffer.alloc(8) }]);
    assert.throws(() => functionSymbols(file.subarray(0, file.length - 64)), RangeError);
  });
});
