import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { checkBpfElf, elfSection, elfSections } from "./elf-codec.ts";

const OBJECT = readFileSync(new URL("../../../bpf/classifier.bpf.o", import.meta.url));

/** The object with other bytes at an offset. */
function changed(offset: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(OBJECT);
  copy.set(bytes, offset);
  return copy;
}

describe("ELF", () => {
  test("a BPF object is taken", () => {
    assert.equal(checkBpfElf(OBJECT), undefined);
  });

  test("everything else is refused with its reason", () => {
    const refused: readonly (readonly [Uint8Array, string])[] = [
      [new Uint8Array(), "it is not an ELF file"],
      [Buffer.from("#!/bin/sh\n".repeat(20)), "it is not an ELF file"],
      [OBJECT.subarray(0, 63), "it ends within the ELF header"],
      [changed(4, 1), "it is not a 64-bit ELF file"],
      [changed(5, 3), "it has no byte order"],
      [Buffer.from(changed(5, 2)).fill(Buffer.from([0, 1, 0, 247]), 16, 20), "it is for big-endian machines"],
      [changed(16, 2, 0), "it is a program, not a relocatable object (clang -c)"],
      [changed(16, 3, 0), "it is a shared library or program, not a relocatable object (clang -c)"],
      [changed(16, 9, 0), "it is an ELF file of type 9, not a relocatable object (clang -c)"],
      [changed(18, 62, 0), "it is for machine 62 (x86-64), not for BPF (247)"],
      [changed(18, 0, 0xf7), "it is for machine 63232, not for BPF (247)"],
    ];
    for (const [image, reason] of refused) assert.equal(checkBpfElf(image), reason);
  });

  test("sections are found by their names", () => {
    assert.equal(elfSection(OBJECT, "license")?.toString("latin1"), "Dual BSD/GPL\0");
    assert.equal(elfSection(OBJECT, ".BTF")?.readUInt16LE(0), 0xeb9f);
    assert.equal(elfSection(OBJECT, ".BT"), undefined);
    const names = elfSections(OBJECT).map(({ name }) => name);
    assert.deepEqual(names.slice(0, 4), ["", ".strtab", ".text", "tc"]);
    assert.ok(names.includes(".BTF.ext") && names.includes(".symtab"));
  });

  test("a view into a larger file is read from its own beginning", () => {
    const larger = new Uint8Array(Buffer.concat([Buffer.alloc(24, 0xff), OBJECT]));
    const view = larger.subarray(24);
    assert.equal(checkBpfElf(view), undefined);
    assert.equal(elfSection(view, "license")?.toString("latin1"), "Dual BSD/GPL\0");
  });

  test("a file that ends before its tables is refused", () => {
    assert.throws(() => elfSections(OBJECT.subarray(0, OBJECT.length / 2)), RangeError);
  });
});
