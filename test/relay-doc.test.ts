/** The rules that docs/relay.md shows are rules. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDocument } from "../src/core/config-table.ts";
import { readRelay } from "../src/relay/settings.ts";

test("every configuration in docs/relay.md is taken as it stands", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/relay.md"), "utf8");
  const blocks = [...page.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, toml = ""]) => toml);
  assert.ok(blocks.length >= 2);
  for (const toml of blocks) {
    const document = parseDocument(toml, "docs/relay.md");
    if ("problem" in document) assert.fail(document.problem.message);
    const { config, problems } = readRelay(document);
    assert.deepEqual([...document.problems, ...problems], []);
    assert.equal(config?.rules.length, toml.split("[[relay.rules]]").length - 1);
  }
});
