import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { remark } from "../testing/tier.ts";
import { matrixMarkdown, matrixText, withResults } from "./matrix.ts";

const skip = (reason: string) => ({ path: ["a test"], reason });
const COLUMNS = [
  {
    kernel: "6.18.44",
    results: [remark("b.test.ts", { passed: 3 }), remark("a.test.ts", { skips: [skip("no cake"), skip("no cake")] })],
  },
  {
    kernel: "6.1.176",
    results: [
      remark("a.test.ts", { passed: 1, failures: [{ path: [], cause: "why" }], skips: [skip("too slow")] }),
      remark("c.test.ts", { passed: 5 }),
    ],
  },
];

test("a row per file, a column per kernel", () => {
  assert.deepEqual(matrixText(COLUMNS), [
    "Test file  6.18.44    6.1.176",
    "a.test.ts  2 skipped  1 passed, 1 failed, 1 skipped",
    "b.test.ts  3 passed   not run",
    "c.test.ts  not run    5 passed",
  ]);
});

test("in Markdown the reasons of skips stand below, each once", () => {
  const lines = matrixMarkdown(COLUMNS).split("\n");
  assert.equal(lines[0], "| Test file | 6.18.44   | 6.1.176                       |");
  assert.deepEqual(lines.slice(-2), ["- 6.18.44, 2 x a.test.ts: no cake", "- 6.1.176, 1 x a.test.ts: too slow"]);
});

test("the page keeps what is around the results", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/kernels.md"), "utf8");
  const once = withResults(page, "| new |");
  assert.match(once, /^# /);
  assert.match(once, /\| new \|/);
  assert.equal(withResults(once, "| new |"), once);
  assert.equal(once.split("<!--")[0], page.split("<!--")[0]);
  assert.throws(() => withResults("no marks", ""), /lacks/);
});
