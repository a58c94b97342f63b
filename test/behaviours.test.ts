/** Every behaviour of the dispatcher that docs/dispatcher.md lists has a test whose title begins with its number. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./helpers/sources.ts";

const COUNT = 80;

/** The numbers at the beginning of the titles of a file's tests: `"5, 6: ..."`. */
function numbersIn(file: string): number[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/\btest\(\s*"(\d+(?:, \d+)*): /g)].flatMap(([, numbers]) =>
    numbers!.split(", ").map(Number),
  );
}

test("every behaviour has a test, and the table says where", () => {
  const files = globSync("test/{netns/,}dispatcher*.test.ts", { cwd: ROOT });
  const found = new Map(files.map((file) => [file, new Set(numbersIn(file))]));
  const tested = new Set([...found.values()].flatMap((numbers) => [...numbers]));
  const all = Array.from({ length: COUNT }, (_, i) => i + 1);
  assert.deepEqual(
    all.filter((number) => !tested.has(number)),
    [],
    "behaviours without a test",
  );

  const table = readFileSync(join(ROOT, "docs/dispatcher.md"), "utf8");
  for (const [file, numbers] of found) {
    if (numbers.size === 0) continue;
    const row = table.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${file}\``)) ?? "";
    const [, listed = ""] = row.split("|");
    const named = listed.split(",").flatMap((part) => {
      const [from = Number.NaN, to = from] = part.trim().split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
    assert.deepEqual(
      named,
      [...numbers].toSorted((a, b) => a - b),
      `the row of ${file} in docs/dispatcher.md`,
    );
  }
});
