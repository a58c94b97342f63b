/** The categories of the logs that docs/daemon.md tells of are those that there are. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSources, ROOT } from "./helpers/sources.ts";

test("docs/daemon.md has every category of the logs, and no other", () => {
  const used = readSources("src/**/*.ts")
    .filter(({ path }) => !path.endsWith(".test.ts") && path !== "src/core/log.ts")
    .flatMap(({ text }) => Array.from(text.matchAll(/\blogger\(([^)]*)\)/g), ([, words = ""]) => words))
    .map((words) => words.replaceAll('"', "").replaceAll(", ", "."));
  const page = readFileSync(join(ROOT, "docs/daemon.md"), "utf8");
  const [, table = ""] = /^\| category .*\n\| -.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const told = Array.from(table.matchAll(/^\| `([\w.]+)`/gm), ([, category]) => category);
  assert.deepEqual(told, [...new Set(used)].toSorted());
});
