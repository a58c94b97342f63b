/**
 * Bad input of every kind, each in a directory of its own: `sluice.toml`, `network.json` and `ShapedDevices.csv` with
 * what is wrong in them, and `expected.txt` with what is said about it, to the letter. A change of any message shows here.
 *
 * `UPDATE_FIXTURES=1` writes the expected files anew; read what changed before you keep it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ERRORS, type Code } from "../src/core/codes.ts";
import { formatProblem, type Problem } from "../src/core/errors.ts";
import { EXIT } from "../src/core/exit.ts";
import { readConfig } from "../src/shaper/config.ts";
import { readIsp } from "../src/shaper/sources/isp.ts";

const ROOT = resolve(import.meta.dirname, "fixtures/bad");
const cases = readdirSync(ROOT).toSorted();

/** What a command that checks this directory finds: the configuration's problems, or else those of the files it names. */
function check(directory: string): readonly Problem[] {
  const { config, problems } = readConfig(join(directory, "sluice.toml"));
  return config ? [...problems, ...readIsp(config).problems] : problems;
}

const seen = new Set<Code>();
const exits = new Map<number, number>();

for (const name of cases) {
  test(name, () => {
    const directory = join(ROOT, name);
    const problems = check(directory);
    const actual = problems.map((p) => `${formatProblem(p)}\n`.replaceAll(`${directory}/`, "")).join("");
    const expected = join(directory, "expected.txt");
    if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(expected, actual);
    assert.equal(actual, readFileSync(expected, "utf8"));

    const first = problems.find(({ severity }) => severity === "error");
    assert.ok(first, "every case has at least one error");
    const { exit } = ERRORS[first.code];
    assert.equal(exit, name.includes("-config-") ? EXIT.config : EXIT.data);
    exits.set(exit, (exits.get(exit) ?? 0) + 1);
    for (const { code } of problems) seen.add(code);
  });
}

test("the cases cover every code about files and configuration", () => {
  const codes = (Object.keys(ERRORS) as Code[]).filter((code) => /^(?:FILE|CONFIG|NETWORK|DEVICES)_/.test(code));
  // The configuration of a case is always there; config.test.ts has the one that is not.
  const missing = codes.filter((code) => !seen.has(code) && code !== "CONFIG_UNREADABLE");
  assert.deepEqual(missing, []);
  assert.ok((exits.get(EXIT.data) ?? 0) >= 50, "at least fifty cases are about data");
});
