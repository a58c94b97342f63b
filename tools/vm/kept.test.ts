import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { remark } from "../testing/tier.ts";
import { keep, readKept } from "./kept.ts";

test("the last column of each kernel is kept: this machine's first, then those that were booted, by their numbers", () => {
  const root = mkdtempSync(join(tmpdir(), "sluice-kept-"));
  try {
    assert.deepEqual(readKept(root), []);
    const column = (kernel: string, passed: number) => ({ kernel, results: [remark("a.test.ts", { passed })] });
    for (const kernel of ["6.12.95, QEMU", "6.1.0, QEMU", "6.1.176, user-mode", "6.18.44"])
      keep(root, column(kernel, 1));
    keep(root, column("6.18.44", 7));
    const kept = readKept(root);
    assert.deepEqual(
      kept.map(({ kernel }) => kernel),
      ["6.18.44", "6.1.176, user-mode", "6.1.0, QEMU", "6.12.95, QEMU"],
    );
    assert.equal(kept[0]!.results[0]!.passed, 7);
  } finally {
    rmSync(root, { recursive: true });
  }
});
