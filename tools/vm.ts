/**
 * Runs tests on another kernel: `node tools/vm.ts [--write-matrix] [part of a path ...]` boots user-mode Linux with CAKE,
 * fq_codel and netem and runs test/netns and test/vm in it. Needs no root. With --write-matrix the same files are run on
 * this machine's kernel first, as root, and docs/kernels.md is written. The last line is `N passed, N failed, N skipped`;
 * exit 1 when one failed or none ran, 69 when there is no kernel to boot.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { testFiles } from "./testing/files.ts";
import { reportLines, succeeded } from "./testing/report.ts";
import { remark, runOnKernel } from "./testing/tier.ts";
import { runInGuests } from "./vm/guests.ts";
import { type Column, matrixMarkdown, matrixText, withResults } from "./vm/matrix.ts";
import { modulesOf } from "./vm/modules.ts";
import { Unavailable, userModeLinux } from "./vm/package.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".vm");
const NO_KERNEL = 69;

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith("--"));
const unknown = args.filter((arg) => arg.startsWith("--") && arg !== "--write-matrix");
const write = args.includes("--write-matrix");
if (unknown.length > 0 || (write && filters.length > 0)) {
  console.error(`Cannot use ${args.join(" ")}: wanted [part of a path ...], or --write-matrix alone`);
  process.exit(64);
}
if (write && process.geteuid?.() !== 0) {
  console.error("Cannot write the matrix: the tests on this machine's kernel need root");
  process.exit(77);
}

function kernelOrSkip(): string {
  try {
    return userModeLinux(cache);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const skipped = remark("test/vm", { skips: [{ path: [], reason: error.message }] });
    console.log(reportLines([skipped], filters).join("\n"));
    process.exit(NO_KERNEL);
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const kernel = kernelOrSkip();
const [netns, vm] = [testFiles(root, "netns", filters), testFiles(root, "vm", filters)];
const columns: Column[] = [];
if (write) {
  const results = [...(await runOnKernel(root, "netns", netns)), ...(await runOnKernel(root, "vm", vm))];
  columns.push({ kernel: release(), results });
}
const guests = await runInGuests(root, kernel, cache, { modules: modulesOf(kernel), netns, vm });
columns.push({ kernel: `${guests.kernel ?? "unknown"}, user-mode`, results: guests.results });
const results = columns.flatMap((column) => column.results);
if (results.length > 0) console.log(["", ...matrixText(columns)].join("\n"));
console.log(reportLines(results, filters).join("\n"));
if (write) {
  const page = join(root, "docs/kernels.md");
  writeFileSync(page, withResults(readFileSync(page, "utf8"), matrixMarkdown(columns)));
}
process.exitCode = succeeded(results) ? 0 : 1;
