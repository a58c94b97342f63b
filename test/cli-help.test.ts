/** What every command says of itself, against test/fixtures/cli-help.txt: a change of it is seen, and meant. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { helpGolden } from "../tools/command-line/help.ts";

const GOLDEN = join(import.meta.dirname, "fixtures/cli-help.txt");
const REGENERATE = "tools/with-node node tools/manual.ts --help-golden >test/fixtures/cli-help.txt";

/** Sections by their command. */
const sections = (text: string): Map<string, string> =>
  new Map(text.split(/^(?===== )/m).map((section) => [section.split("\n")[0]!, section]));

test("the help of every command is what the fixture has", async () => {
  const [expected, actual] = [sections(readFileSync(GOLDEN, "utf8")), sections(await helpGolden())];
  const advice = `the help has changed. If that is meant: ${REGENERATE}`;
  assert.deepEqual([...actual.keys()], [...expected.keys()], advice);
  for (const [command, text] of actual) assert.equal(text, expected.get(command), advice);
});
