/** The error registry, its page and its uses belong together. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { ERRORS, type ErrorSpec } from "../src/core/codes.ts";
import { EXIT } from "../src/core/exit.ts";
import { ERRORS_PAGE, errorsDoc } from "../tools/errors-doc.ts";
import { readSources, withoutComments } from "./helpers/sources.ts";

/** Codes that nothing raises yet, with what will. A code that is raised must leave this list. */
const RESERVED: Readonly<Record<string, string>> = {
  PLAN_STALE: "sluice apply PLANFILE, which refuses a saved plan when the kernel has moved",
};

const rows: readonly (readonly [string, ErrorSpec])[] = Object.entries(ERRORS);
const used = new Set(
  readSources("src/**/*.ts")
    .filter(({ path }) => !path.endsWith(".test.ts") && !path.startsWith("src/core/codes"))
    .flatMap(({ text }) => Array.from(withoutComments(text).matchAll(/"([A-Z][A-Z_]+)"/g), ([, code]) => code)),
);

describe("the error registry", () => {
  it("is large enough to be the real one", () => assert.ok(rows.length >= 30, `${rows.length} codes`));

  it("is what docs/errors.md says", () => {
    const page = readFileSync(ERRORS_PAGE, "utf8");
    assert.ok(page === errorsDoc(), "docs/errors.md is out of date: run npm run docs");
    for (const [code] of rows) assert.ok(page.includes(`### ${code}\n`), `docs/errors.md leaves out ${code}`);
  });

  it("holds only codes that are raised, or says what will raise them", () => {
    const idle = rows.map(([code]) => code).filter((code) => !used.has(code) && !(code in RESERVED));
    assert.deepEqual(idle, [], "codes that nothing in src names");
    const stale = Object.keys(RESERVED).filter((code) => used.has(code) || !(code in ERRORS));
    assert.deepEqual(stale, [], "codes that are not reserved any more");
  });

  for (const [code, spec] of rows) {
    it(`${code} is well made`, () => {
      assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
      for (const [part, template] of Object.entries({ message: spec.message, remedy: spec.remedy })) {
        assert.notEqual(template.trim(), "", `the ${part} is empty`);
        assert.doesNotMatch(template, /\.$/, `the ${part} ends with a full stop, and so would its readers' sentences`);
        assert.doesNotMatch(
          template.replaceAll(/\{[a-z]\w*\}|"\{\}"| \{\} /gi, ""),
          /[{}]/,
          `the ${part} has a brace without a name`,
        );
      }
      const exits: readonly number[] = Object.values(EXIT);
      assert.ok(exits.includes(spec.exit), `exit code ${spec.exit} is not in EXIT`);
      if (spec.severity === "warning") assert.equal(spec.exit, EXIT.ok, "a warning stops nothing");
      else assert.ok(spec.exit !== EXIT.ok && spec.status >= 400, "an error must not look like success");
    });
  }
});
