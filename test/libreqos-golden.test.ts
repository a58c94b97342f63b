/**
 * Recorded runs of LibreQoS, done again: the same bytes in `linux_tc.txt` and `queuingStructure.json`, the same mappings in
 * the same order, the same words. The records lie beside the project; without them this says so and skips.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { batchText } from "../src/shaper/libreqos/lines.ts";
import { mapAddresses, mappingLine } from "../src/shaper/libreqos/mappings.ts";
import { structureText } from "../src/shaper/libreqos/structure.ts";
import { GOLDEN, goldenCases, goldenText, printed, rebuild, skipGolden, spoken } from "./helpers/libreqos.ts";

/** Asserts that two texts are equal, showing the first line that is not. */
function sameText(actual: string, expected: string, what: string): void {
  if (actual === expected) return;
  const [left, right] = [actual.split("\n"), expected.split("\n")];
  const at = left.findIndex((line, index) => line !== right[index]);
  assert.equal(left[at], right[at], `${what}, line ${at + 1}`);
  assert.equal(left.length, right.length, `${what}, number of lines`);
}

function replay(name: string): void {
  const result = rebuild(name);
  const messages = goldenText(name, "messages.txt") ?? "";
  assert.deepEqual(spoken(result), messages.split("\n").filter(Boolean));
  const lines = goldenText(name, "linux_tc.txt");
  assert.equal(result.built === undefined, lines === undefined, "whether there are lines at all");
  if (!result.built || lines === undefined) return;
  const { built } = result;
  sameText(batchText(built.commands), lines, "linux_tc.txt");
  const structure = goldenText(name, "queuingStructure.json")!;
  sameText(structureText(built), structure.trimEnd(), "queuingStructure.json");
  const mappings = goldenText(name, "ip_mappings.jsonl") ?? "";
  sameText(
    mapAddresses(built)
      .map((mapping) => `${mappingLine(mapping)}\n`)
      .join(""),
    mappings,
    "ip_mappings.jsonl",
  );
}

describe("recorded runs", { skip: skipGolden }, () => {
  const cases = goldenCases();
  it("are there", () => assert.ok(cases.length >= 20, `only ${cases.length} cases in ${GOLDEN}`));
  for (const name of cases) it(name, () => replay(name));
});

describe("recorded refusals", { skip: skipGolden }, () => {
  const cases = goldenCases("j_invalid");
  it("are there", () => assert.ok(cases.length >= 30, `only ${cases.length} cases in ${GOLDEN}/j_invalid`));
  for (const name of cases) it(name, () => replay(name));
});

/** What one version said about one input. */
interface Recorded {
  readonly warnings_and_exceptions: readonly string[];
  readonly stdout: readonly string[];
  readonly tc_lines: number;
}

describe("error_messages.json", { skip: skipGolden }, () => {
  const text = skipGolden === false ? readFileSync(join(GOLDEN, "error_messages.json"), "utf8") : "{}";
  for (const [name, versions] of Object.entries(JSON.parse(text) as Record<string, Record<string, Recorded>>)) {
    const folder = join("j_invalid", name);
    it(name, () => {
      assert.ok(existsSync(join(GOLDEN, folder)), `the input of ${name} is not there`);
      const recorded = versions["seed-4be492c2"]!;
      const result = rebuild(folder);
      const said = spoken(result).filter((line) => !line.includes("enableActualShellCommands"));
      assert.deepEqual(said, recorded.warnings_and_exceptions);
      assert.deepEqual(printed(result), recorded.stdout);
      assert.equal(result.built?.commands.length ?? 0, recorded.tc_lines);
      const refused = result.problems.some(({ severity }) => severity === "error");
      assert.equal(refused, recorded.tc_lines === 0, "an error of ours wherever LibreQoS builds nothing");
    });
  }
});
