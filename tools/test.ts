/**
 * Runs the tests: `node tools/test.ts [--unit] [part of a path ...]`. Unit tests go two files at a time; the netns tier,
 * which shares one kernel, one file at a time, as root only, and must leave the machine as it was. The last line is
 * `N passed, N failed, N skipped`; exit 1 when one failed or none ran.
 */
import { join } from "node:path";
import { type Tier, testFiles } from "./testing/files.ts";
import { closingLine, failureText, fileLine, skipText } from "./testing/report.ts";
import { type FileResult, runFile } from "./testing/run-file.ts";

const root = join(import.meta.dirname, "..");
const CONCURRENCY: Readonly<Record<Tier, number>> = { unit: 2, netns: 1 };

/** A result that is not of a test file: something the run itself found, or left out. */
const remark = (file: string, part: Partial<FileResult>): FileResult => ({
  file,
  passed: 0,
  failures: [],
  skips: [],
  output: "",
  milliseconds: 0,
  ...part,
});

async function runTier(tier: Tier, files: readonly string[]): Promise<FileResult[]> {
  const queue = files.values();
  const results: FileResult[] = [];
  const work = async () => {
    for (const file of queue) {
      const result = await runFile(root, join(root, file));
      console.log(fileLine(result));
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY[tier] }, work));
  return results;
}

/** Runs the netns tier between two looks at the machine; what the second one finds more is a failure. */
async function runNetns(files: readonly string[]): Promise<FileResult[]> {
  if (files.length === 0) return [];
  if (process.geteuid?.() !== 0) {
    const reason = "the netns tier makes network namespaces: run npm test as root";
    return files.map((file) => remark(file, { skips: [{ path: [], reason }] }));
  }
  const { leaksSince, snapshot } = await import("../test/helpers/leaks.ts");
  const before = snapshot();
  const results = await runTier("netns", files);
  const leaks = await leaksSince(before);
  if (leaks.length > 0) {
    const cause = `the tests left behind:\n${leaks.map((leak) => `  ${leak}`).join("\n")}`;
    results.push(remark("test/netns", { failures: [{ path: [], cause }] }));
  }
  return results;
}

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith("--"));
const unknown = args.filter((arg) => arg.startsWith("--") && arg !== "--unit");
if (unknown.length > 0) {
  console.error(`Cannot use ${unknown.join(" ")}: wanted [--unit] [part of a path ...]`);
  process.exit(64);
}

const results = await runTier("unit", testFiles(root, "unit", filters));
if (!args.includes("--unit")) results.push(...(await runNetns(testFiles(root, "netns", filters))));

for (const result of results) if (result.failures.length > 0) console.log(`\n${failureText(result)}`);
const skips = skipText(results);
if (skips.length > 0) console.log(`\n${skips.join("\n")}`);
if (results.length === 0) console.log(`no test file matches ${filters.join(" ") || "anything"}`);
console.log(`\n${closingLine(results)}`);
const ran = results.some((result) => result.passed > 0);
process.exitCode = ran && results.every((result) => result.failures.length === 0) ? 0 : 1;
