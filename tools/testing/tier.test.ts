import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { reportLines, succeeded } from "./report.ts";
import type { FileResult } from "./run-file.ts";
import { remark, runTier } from "./tier.ts";

/** Runs files that fail as often as is said. @returns what became of them, and the order in which they were run */
async function runs(failing: Record<string, number>, { milliseconds = 1, cause = "fault" } = {}) {
  const left = new Map(Object.entries(failing));
  const order: string[] = [];
  const run = (_root: string, path: string): Promise<FileResult> => {
    const file = basename(path);
    order.push(file);
    const times = left.get(file)!;
    left.set(file, times - 1);
    const failures = times > 0 ? [{ path: ["x"], cause: `${cause} ${times} of ${file}` }] : [];
    return Promise.resolve(remark(file, { passed: 1, failures, milliseconds }));
  };
  const told: string[] = [];
  const results = await runTier("/", "netns", left.keys(), ({ file }) => void told.push(file), run);
  assert.deepEqual(told.toSorted(), [...left.keys()].toSorted());
  return { order, results, passed: succeeded(results), text: reportLines(results, []).join("\n") };
}

test("a file that failed is run again at the end, and what it failed with is told all the same", async () => {
  const { order, passed, text } = await runs({ a: 0, b: 1, c: 0 });
  assert.deepEqual(order, ["a", "b", "c", "b"]);
  assert.equal(passed, true);
  assert.match(text, /^FAILED ONCE {2}b > x\n {4}fault 1 of b\n[^]*\n3 passed, 0 failed, 0 skipped$/m);
});

test("what fails again has failed, with what it failed with first", async () => {
  const { passed, text } = await runs({ a: 2, b: 0 });
  assert.equal(passed, false);
  assert.match(text, /^FAILED {2}a > x\n {4}fault 2 of a\n[^]*, 1 failed, 0 skipped$/m);
});

test("many that fail, slow ones, and what was found at random have one try", async () => {
  assert.equal((await runs({ a: 1, b: 1, c: 1 })).passed, false);
  assert.equal((await runs({ a: 1 }, { milliseconds: 400_000 })).passed, false);
  const random = await runs({ a: 1, b: 0 }, { cause: "Property failed after 3 tests\n{ seed: 7 }" });
  assert.deepEqual([random.passed, random.order.length], [false, 2]);
});
