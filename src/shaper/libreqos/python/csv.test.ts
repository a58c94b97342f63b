import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readCsv, universalNewlines } from "./csv.ts";

const cells = (text: string): (readonly string[])[] => readCsv(text).map((record) => record.cells);

describe("readCsv", () => {
  it("keeps blanks, and quotes inside of cells", () => {
    assert.deepEqual(cells(' a ,b"c", "d"\n'), [[" a ", 'b"c"', ' "d"']]);
  });

  it("lets text follow a closing quote", () => {
    assert.deepEqual(cells('"a"b,"c" ,"d""e"\n'), [["ab", "c ", 'd"e']]);
  });

  it("gives a blank line no cells, and one of blanks one", () => {
    assert.deepEqual(cells("a\n\n  \n,\n"), [["a"], [], ["  "], ["", ""]]);
  });

  it("lets an open quote swallow the rest", () => {
    assert.deepEqual(cells('a,"b\nc,d\n'), [["a", "b\nc,d\n"]]);
  });

  it("knows where records begin", () => {
    assert.deepEqual(
      readCsv('a,"b\nc"\nd\n').map(({ line }) => line),
      [1, 3],
    );
  });

  it("passes over comments only when asked", () => {
    assert.deepEqual(cells("#a\nb\n"), [["#a"], ["b"]]);
    assert.deepEqual(
      readCsv("#a\nb\n", { comment: "#" }).map((record) => record.line),
      [2],
    );
  });

  it("reads back what was quoted", () => {
    const rows = fc.array(
      fc.array(fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", " ", "#") }), { minLength: 1 }),
    );
    fc.assert(
      fc.property(rows, (rows) => {
        const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
        const text = rows.map((row) => `${row.map((cell) => quote(cell)).join(",")}\n`).join("");
        assert.deepEqual(cells(text), rows);
      }),
    );
  });
});

describe("universalNewlines", () => {
  it("makes every line ending one", () => assert.equal(universalNewlines("a\r\nb\rc\n\r"), "a\nb\nc\n\n"));
});
