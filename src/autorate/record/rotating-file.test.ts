import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RotatingFile } from "./rotating-file.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-rotating-"));
test.after(() => rmSync(folder, { recursive: true }));

test("lines are appended below the header, also by the next one who opens it", async () => {
  const path = join(folder, "a.csv");
  for (const line of ["1", "2"]) {
    await using file = new RotatingFile({ path, header: "head", failed: (reason) => assert.ok(false, reason) });
    file.add(line);
  }
  assert.equal(readFileSync(path, "utf8"), "head\n1\n2\n");
});

test("at its limit it is put aside, one before it is kept", async () => {
  const path = join(folder, "b.csv");
  for (const line of ["first and long", "second and long", "third"]) {
    await using file = new RotatingFile({ path, header: "h", limit: 10, failed: (reason) => assert.ok(false, reason) });
    file.add(line);
  }
  assert.equal(readFileSync(path, "utf8"), "h\nthird\n");
  assert.equal(readFileSync(`${path}.1`, "utf8"), "h\nsecond and long\n");
});

test("what cannot be written is told once, and tried again", async () => {
  const told: string[] = [];
  const path = join(folder, "missing", "c.csv");
  const file = new RotatingFile({ path, failed: (reason) => told.push(reason) });
  for (const line of ["1", "2"]) {
    file.add(line);
    await file[Symbol.asyncDispose]();
  }
  assert.equal(told.length, 1);
  assert.match(told[0]!, /ENOENT/);
  assert.equal(file.lost, 2);
  assert.equal(existsSync(path), false);
});

test("after a line that was cut off the next one begins on its own", async () => {
  const path = join(folder, "d.csv");
  writeFileSync(path, "head\n1\nhalf a li");
  await using file = new RotatingFile({ path, header: "head", failed: (reason) => assert.ok(false, reason) });
  file.add("2");
  await file[Symbol.asyncDispose]();
  assert.equal(readFileSync(path, "utf8"), "head\n1\nhalf a li\n2\n");
});

test("where runs have heads, each has one, and a new file one only", async () => {
  const path = join(folder, "e.jsonl");
  const run = async (...lines: readonly string[]): Promise<void> => {
    await using file = new RotatingFile({
      path,
      header: "head",
      heads: "runs",
      failed: (reason) => assert.ok(false, reason),
    });
    for (const line of lines) {
      file.add(line);
      await file[Symbol.asyncDispose]();
    }
  };
  await run("1", "2");
  await run("3");
  assert.equal(readFileSync(path, "utf8"), "head\n1\n2\nhead\n3\n");
});

test("a device that takes nothing is told once, and nobody waits for it", async () => {
  const told: string[] = [];
  await using file = new RotatingFile({ path: "/dev/full", header: "head", failed: (reason) => told.push(reason) });
  for (let i = 0; i < 5; i += 1) {
    file.add("x".repeat(100_000));
    await file[Symbol.asyncDispose]();
  }
  assert.equal(told.length, 1);
  assert.match(told[0]!, /ENOSPC/);
  assert.equal(file.lost, 5);
});
