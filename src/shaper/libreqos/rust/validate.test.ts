import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseF32 } from "./f32.ts";
import { validateRust } from "./validate.ts";

const HEADER = "a,b,c,d,e,f,g,h,i,j,k,l,m";
const row = (rate: string, address = "10.0.0.1"): string => `1,n,1,d,,,${address},,${rate},1,1,1,`;
const said = (...lines: readonly string[]): string | undefined => validateRust(`${lines.join("\n")}\n`)?.text;

describe("parseF32", () => {
  it("rounds to 32 bits and takes no underscores", () => {
    assert.equal(parseF32("0.1"), Math.fround(0.1));
    assert.deepEqual(
      ["5.", ".5", "1e3", "+2", "-inf"].map((text) => parseF32(text)),
      [5, 0.5, 1000, 2, Number.NEGATIVE_INFINITY],
    );
    assert.ok(Number.isNaN(parseF32("nan")));
    for (const text of ["", ".", "1_000", " 1", "0x1", "e3"]) assert.equal(parseF32(text), undefined, text);
  });
});

describe("validateRust", () => {
  it("cuts blanks, passes over comments and blank lines, and lets any address be", () => {
    assert.equal(said("# c", HEADER, "", row(" 1 ", "hello"), "#x,y"), undefined);
    assert.equal(said(""), undefined);
  });

  it("takes rates from 0.01, below Python's 0.1, and none that Python spells otherwise", () => {
    assert.equal(said(HEADER, row("0.01")), undefined);
    const refusal = (cell: string): string => `DeviceDecode("DEVICE DECODE: Err(CsvEntryParseError(\\"${cell}\\"))")`;
    for (const cell of ["0.009", "1_000", "", "nan"]) assert.equal(said(HEADER, row(cell)), refusal(cell));
  });

  it("wants every row as long as the first", () => {
    const bytes = `${HEADER}\n${row("1")}\n`.length;
    const refusal = (at: number): string => `UnequalLengths("At line 3, position ${at}. Expected 13 fields, found 2")`;
    assert.equal(said(HEADER, row("1"), "1,2"), refusal(bytes));
    assert.equal(validateRust(`${HEADER}\r\n${row("1")}\r\n1,2\r\n`)!.text, refusal(bytes + 2));
    assert.match(validateRust("a,b\n1,2\n")!.reason, /A rate is ""/);
  });
});
