import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { cached, run, Unavailable } from "./apt.ts";

let cache = "";
beforeEach(() => {
  cache = join(mkdtempSync(join(tmpdir(), "sluice-apt-")), "cache");
});
afterEach(() => rmSync(join(cache, ".."), { recursive: true }));

const tree = (work: string): void => {
  mkdirSync(join(work, "tree"));
  writeFileSync(join(work, "tree/kernel"), "");
};

test("what is fetched is kept, and fetched once", { skip: process.arch !== "x64" && "packages are for amd64" }, () => {
  let fetched = 0;
  const fetch = (work: string): void => {
    fetched += 1;
    tree(work);
  };
  for (let i = 0; i < 2; i += 1) assert.ok(existsSync(join(cached(cache, "a-kernel", fetch), "kernel")));
  assert.deepEqual([fetched, readdirSync(cache)], [1, ["a-kernel"]]);
});

test(
  "a fetch that fails says what, why and what to do, and leaves nothing",
  { skip: process.arch !== "x64" && "packages are for amd64" },
  () => {
    const half = (work: string): void => {
      tree(work);
      throw new Unavailable("apt-get update: no such host");
    };
    assert.throws(
      () => cached(cache, "a-kernel", half),
      (error) =>
        error instanceof Unavailable &&
        error.message ===
          "Cannot fetch a-kernel: apt-get update: no such host; apt-get must reach Debian's archive at deb.debian.org",
    );
    assert.deepEqual(readdirSync(cache), []);
  },
);

test("a program that fails, or is not there, is named with what it said", () => {
  assert.throws(() => run("/", "no-such-program", ["x"]), /^Error: no-such-program: .*ENOENT/);
  assert.throws(() => run("/", "sh", ["-c", "echo one; echo two; echo three >&2; exit 3"]), /: two three$/);
  assert.equal(run("/", "sh", ["-c", "echo fine"]), "fine\n");
});
