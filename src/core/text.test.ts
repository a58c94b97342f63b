import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeText } from "./text.ts";

const utf16 = (text: string): number[] => [...Buffer.from(text, "utf16le")];

test("decodes by byte order mark, which is not part of the text", () => {
  assert.deepEqual(decodeText(Buffer.from("\u{feff}Müller")), { text: "Müller", encoding: "utf-8" });
  assert.deepEqual(decodeText(Uint8Array.from([0xff, 0xfe, ...utf16("Müller")])), {
    text: "Müller",
    encoding: "utf-16le",
  });
  assert.deepEqual(decodeText(Uint8Array.from([0xfe, 0xff, 0, 77, 0, 0xfc])), { text: "Mü", encoding: "utf-16be" });
});

test("without a mark: UTF-8 when it is valid, else Windows-1252", () => {
  assert.deepEqual(decodeText(Buffer.from("Müller €")), { text: "Müller €", encoding: "utf-8" });
  assert.deepEqual(decodeText(Uint8Array.from([77, 0xfc, 0x80])), { text: "Mü€", encoding: "windows-1252" });
  assert.deepEqual(decodeText(new Uint8Array()), { text: "", encoding: "utf-8" });
});

test("tells binary files from text", () => {
  assert.deepEqual(decodeText(Buffer.from("a\nbc\0")).fault, {
    reason: "it holds a NUL byte, so it is no text (or UTF-16 without a byte order mark)",
    line: 2,
    column: 3,
  });
  assert.match(decodeText(Buffer.from("PK\u0003\u0004\0")).fault!.reason, /ZIP archive/);
  assert.match(decodeText(Uint8Array.from([0xff, 0xfe, 0x00, 0xd8])).fault!.reason, /UTF-16LE, but is not valid/);
  assert.match(decodeText(Uint8Array.from([0xe9, 0])).fault!.reason, /NUL byte/);
});
