import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCpio } from "./cpio.ts";

test("each entry begins at a multiple of four, with the sizes of its name and content", () => {
  const archive = encodeCpio([
    { name: "m" },
    { name: "m/a", content: Buffer.from("12345") },
    { name: "init", content: Buffer.from("#!x"), executable: true },
  ]);
  assert.equal(archive.length % 4, 0);
  const found: [string, string, string][] = [];
  for (let at = 0; at < archive.length;) {
    const field = (i: number): number =>
      Number.parseInt(archive.toString("latin1", at + 6 + 8 * i, at + 14 + 8 * i), 16);
    assert.equal(archive.toString("latin1", at, at + 6), "070701");
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString("latin1", at + 110, at + 110 + nameSize - 1);
    const content = at + ((110 + nameSize + 3) & ~3);
    found.push([name, mode.toString(8), archive.toString("latin1", content, content + size)]);
    at = content + ((size + 3) & ~3);
  }
  assert.deepEqual(found, [
    ["m", "40755", ""],
    ["m/a", "100644", "12345"],
    ["init", "100755", "#!x"],
    ["TRAILER!!!", "0", ""],
  ]);
});
