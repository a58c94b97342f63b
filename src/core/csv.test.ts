import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { cellPosition, parseCsv } from "./csv.ts";

const cellsOf = (text: string): (readonly string[])[] => parseCsv(text).rows.map(({ cells }) => cells);
const faultsOf = (text: string): string[] =>
  parseCsv(text).faults.map(({ line, column, reason }) => `${line}:${column} ${reason}`);

const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const content = fc.string({ unit: fc.constantFrom("a", "é", ",", '"', "\n", "\r\n", " ", "#"), maxLength: 6 });
const table = fc.array(fc.array(content, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });

describe("parseCsv", () => {
  test("reads back every table written with quotes, and agrees with csv-parse", () => {
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, end, last) => {
        const text = rows.map((row) => row.map((cell) => quote(cell)).join(",")).join(end) + (last ? end : "");
        const wanted = rows
          .map((row) => row.map((cell) => cell.trim()))
          .filter((row) => !row[0]!.startsWith("#") && row.some((cell) => cell !== ""));
        assert.deepEqual(cellsOf(text), wanted);
        const peer = parse(text, { record_delimiter: end, relax_column_count: true });
        assert.deepEqual(
          peer.map((row) => row.map((cell) => cell.trim())),
          rows.map((row) => row.map((cell) => cell.trim())),
        );
      }),
    );
  });

  test("knows where every cell stands", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map((row) => row.map((cell) => quote(cell)).join(",")).join("\n");
        const lines = text.split(/\r\n|\n/);
        for (const row of parseCsv(text).rows) {
          for (const index of row.cells.keys()) {
            const { line, column } = cellPosition(text, row, index);
            assert.equal(lines[line - 1]![column - 1], '"');
          }
        }
      }),
    );
  });

  test("passes over comments, blank lines and empty rows, whatever quotes are in them", () => {
    const text = '# it\'s "odd\n\na,b\n  # c\n,,\n \t\n"# quoted",x\nd,e';
    assert.deepEqual(cellsOf(text), [
      ["a", "b"],
      ["d", "e"],
    ]);
    assert.deepEqual(faultsOf(text), []);
    assert.equal(parseCsv(text).rows[1]!.line, 8);
  });

  test("takes any line ending, also mixed", () => {
    assert.deepEqual(cellsOf("a\r\nb\nc\rd"), [["a"], ["b"], ["c"], ["d"]]);
  });

  test("cuts blanks around cells and takes quotes inside unquoted ones as they are", () => {
    assert.deepEqual(cellsOf(' a , "b, c" ,5" pipe,Joe "Big" Doe'), [["a", "b, c", '5" pipe', 'Joe "Big" Doe']]);
  });

  test("goes on after broken quoting at the next line", () => {
    const rule = "a comma or the end of the line must (a quote inside a quoted cell is written twice)";
    assert.deepEqual(faultsOf('a,"b"c\nd,"e\nf,"g"'), [
      `1:6 "c" follows the closing quote where ${rule}`,
      `2:3 the quote that opens here is closed only on line 3, where "g" follows and ${rule}`,
    ]);
    assert.deepEqual(cellsOf('a,"b"c\nd,"e\nf,"g"'), [["f", "g"]]);
    assert.deepEqual(faultsOf('a\n"b\nc'), ["2:1 the quote that opens here is never closed"]);
    assert.deepEqual(cellsOf('a\n"b\nc'), [["a"], ["c"]]);
  });
});
