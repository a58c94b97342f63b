/**
 * Runs the tests: `node tools/test.ts [--unit] [part of a path ...]`. Unit tests go two files at a time; the netns tier,
 * which shares one kernel, one file at a time, as root only, and must leave the machine as it was. The last line is
 * `N passed, N failed, N skipped`; exit 1 when one failed or none ran.
 */
import { release } from "node:os";
import { join } from "node:path";
import { testFiles } from "./testing/files.ts";
import { reportLines, succeeded } from "./testing/report.ts";
import { runOnKernel, runTier } from "./testing/tier.ts";
import { keep } from "./vm/kept.ts";

const root = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith("--"));
const unknown = args.filter((arg) => arg.startsWith("--") && arg !== "--unit");
if (unknown.length > 0) {
  console.error(`Cannot use ${unknown.join(" ")}: wanted [--unit] [part of a path ...]`);
  process.exit(64);
}

const results = await runTier(root, "unit", testFiles(root, "unit", filters));
if (!args.includes("--unit")) {
  const netns = await runOnKernel(root, "netns", testFiles(root, "netns", filters));
  // For docs/kernels.md, with what ran on others (tools/vm.ts).
  if (filters.length === 0) keep(root, { kernel: release(), results: netns });
  results.push(...netns);
}
console.log(reportLines(results, filters).join("\n"));
process.exitCode = succeeded(results) ? 0 : 1;
