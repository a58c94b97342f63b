import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { remark } from "../testing/tier.ts";
import { claim, readJob, readOutcome, report, sayEnough, tellable, writeJob } from "./job.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-job-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a job is read as it was written", () => {
  const job = { modules: ["/a b/c.ko"], netns: ["test/netns/x.test.ts"], vm: [] };
  writeJob(folder, "/it's here", job);
  assert.deepEqual(readJob(folder), job);
  assert.match(readFileSync(join(folder, "start"), "utf8"), /^cd '\/it'\\''s here'$/m);
});

test("each file is claimed once, whatever its path", () => {
  const files = ["test/vm/a.test.ts", "test/vm/a/test.ts", "test/vm/ä.test.ts"];
  assert.deepEqual(
    files.map((file) => claim(folder, file)),
    [true, true, true],
  );
  assert.deepEqual(
    files.map((file) => claim(folder, file)),
    [false, false, false],
  );
});

test("nothing is claimed any more when it was said to be enough", () => {
  assert.equal(claim(folder, "a.test.ts"), true);
  sayEnough(folder);
  assert.equal(claim(folder, "b.test.ts"), false);
});

test("what a guest told before it died is known, guest by guest", () => {
  assert.deepEqual(readOutcome(folder, 0), { results: [], finished: false });
  const failure = { path: ["suite", "test"], cause: new Error("why") };
  const result = remark("a.test.ts", { passed: 2, failures: [failure] });
  report(folder, 0, { kernel: "6.1.1" });
  report(folder, 0, { result: tellable(result) });
  appendFileSync(join(folder, "outcome-0"), '{"result":{"fi');
  report(folder, 1, { finished: true });
  const { kernel, results, finished } = readOutcome(folder, 0);
  assert.deepEqual([kernel, results.length, results[0]!.passed, finished], ["6.1.1", 1, 2, false]);
  assert.match(String(results[0]!.failures[0]!.cause), /^Error: why\n/);
  assert.deepEqual(readOutcome(folder, 1), { results: [], finished: true });
});
