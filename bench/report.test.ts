import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNumber, formatSection, isMet, type Row } from "./report.ts";
import { sample } from "./sample.ts";

const row = (ours: number, peer: number, ratio: number): Row => ({
  what: "x",
  ours: sample([ours]),
  peer: { name: "tc", sample: sample([peer]) },
  target: { ratio },
});

test("a target is met by the medians' ratio, or by the median itself", () => {
  assert.equal(isMet(row(3, 4, 0.75)), true);
  assert.equal(isMet(row(3.1, 4, 0.75)), false);
  assert.equal(isMet({ what: "x", ours: sample([1, 5, 90]), target: { milliseconds: 5 } }), true);
  assert.equal(isMet({ what: "x", ours: sample([1, 6, 90]), target: { milliseconds: 5 } }), false);
  assert.equal(isMet({ what: "x", ours: sample([1]) }), undefined);
  assert.throws(() => isMet({ what: "x", ours: sample([1]), target: { ratio: 1 } }), /it has no peer/);
});

test("numbers keep three digits", () => {
  assert.deepEqual([1234.5, 99.94, 5.678, 0.01234, 0].map(formatNumber), ["1,235", "99.9", "5.68", "0.0123", "0"]);
});

test("a section is a Markdown table without its empty columns", () => {
  const rows: Row[] = [row(3, 4, 0.75), { what: "longer", ours: sample([1, 2, 3]) }];
  assert.equal(
    formatSection({ title: "T", rows, remarks: ["Remark."] }),
    `### T

| milliseconds: median (min..max) | ours     | peer     | the peer is | ours / peer | target  |      |
| ------------------------------- | -------- | -------- | ----------- | ----------- | ------- | ---- |
| x                               | 3 (3..3) | 4 (4..4) | tc          | 0.75        | <= 0.75 | PASS |
| longer                          | 2 (1..3) |          |             |             |         |      |

Remark.
`,
  );
  assert.doesNotMatch(formatSection({ title: "T", rows: rows.slice(1) }), /peer|target/);
});

test("tables and bounds of their own stand in a section as well", () => {
  const section = {
    title: "T",
    rows: [],
    table: [
      ["", "none", "ewma", "cake"],
      ["delay", "1", "", "2 (3)"],
    ],
    bounds: [
      { what: "a", numbers: "1 s", met: true },
      { what: "b", numbers: "2 s", met: false },
      { what: "c", numbers: "", met: undefined },
    ],
  };
  assert.equal(
    formatSection(section),
    `### T

|       | none | cake  |
| ----- | ---- | ----- |
| delay | 1    | 2 (3) |

| wanted | measured | met          |
| ------ | -------- | ------------ |
| a      | 1 s      | PASS         |
| b      | 2 s      | FAIL         |
| c      |          | not measured |
`,
  );
});
