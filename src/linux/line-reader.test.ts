import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineReader } from "./line-reader.ts";

function linesOf(most: number, chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const reader = new LineReader(most, (line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

test("lines are the same however the bytes are cut, and none is too long", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\n", "€"), maxLength: 30 })),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      (texts, size, most) => {
        const bytes = Buffer.from(texts.join("\n"));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const wanted = bytes
          .toString()
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.slice(0, most));
        assert.deepEqual(linesOf(most, chunks), wanted);
      },
    ),
  );
});

test("what never ends a line is not kept", () => {
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(1000, "x"));
  assert.deepEqual(linesOf(10, [...chunks, Buffer.from("\nnext")]), ["x".repeat(10), "next"]);
});
