/**
 * Runs tests on other kernels: `node tools/vm.ts [--qemu] [--write-matrix] [part of a path ...]` boots user-mode Linux
 * with CAKE, fq_codel and netem, or with --qemu two of Debian's kernels in QEMU (as root), and runs test/netns and
 * test/vm in them; beside user-mode Linux test/reboot, on machines of its own. With --write-matrix the same files are run
 * on this machine's kernel, as root, in user-mode Linux and in QEMU, and docs/kernels.md is written. The last line is
 * `N passed, N failed, N skipped`; exit 1 when one failed or none ran, 69 when there is no kernel to boot.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { testFiles } from "./testing/files.ts";
import { reportLines, succeeded } from "./testing/report.ts";
import { remark, runOnKernel, runTier } from "./testing/tier.ts";
import { Unavailable } from "./vm/apt.ts";
import { endBySignals } from "./vm/at-exit.ts";
import { runInGuests } from "./vm/guests.ts";
import type { Machine } from "./vm/machine.ts";
import { type Column, matrixMarkdown, matrixText, withResults } from "./vm/matrix.ts";
import { emulatedMachines } from "./vm/qemu.ts";
import { userModeLinux } from "./vm/uml.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".vm");
const NO_KERNEL = 69;

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith("--"));
const unknown = args.filter((arg) => arg.startsWith("--") && !["--qemu", "--write-matrix"].includes(arg));
const [write, qemu] = [args.includes("--write-matrix"), args.includes("--qemu")];
if (unknown.length > 0 || (write && args.length > 1)) {
  console.error(`Cannot use ${args.join(" ")}: wanted [--qemu] [part of a path ...], or --write-matrix alone`);
  process.exit(64);
}
if (write && process.geteuid?.() !== 0) {
  console.error("Cannot write the matrix: the tests on this machine's kernel need root");
  process.exit(77);
}

function machinesOrSkip(): Machine[] {
  try {
    return [...(qemu && !write ? [] : [userModeLinux(cache)]), ...(qemu || write ? emulatedMachines(cache) : [])];
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const skipped = remark(qemu ? "test/vm in QEMU" : "test/vm", { skips: [{ path: [], reason: error.message }] });
    console.log(reportLines([skipped], filters).join("\n"));
    process.exit(NO_KERNEL);
  }
}

endBySignals();
const machines = machinesOrSkip();
const job = { netns: testFiles(root, "netns", filters), vm: testFiles(root, "vm", filters) };
const columns: Column[] = [];
if (write) {
  const results = [...(await runOnKernel(root, "netns", job.netns)), ...(await runOnKernel(root, "vm", job.vm))];
  columns.push({ kernel: release(), results });
}
// User-mode Linux takes all processors for itself; QEMU's machines leave each other some.
for (const group of Map.groupBy(machines, ({ title }) => title).values()) {
  const reboots = group.some(({ pullsPlug }) => pullsPlug) ? testFiles(root, "reboot", filters) : [];
  const [rebooted, ...ran] = await Promise.all([
    runTier(root, "reboot", reboots),
    ...group.map((machine) => runInGuests(root, machine, cache, job)),
  ]);
  columns.push(...ran.map((column) => ({ ...column, results: [...column.results, ...rebooted] })));
}
const results = columns.flatMap((column) => column.results);
if (results.length > 0) console.log(["", ...matrixText(columns)].join("\n"));
console.log(reportLines(results, filters).join("\n"));
if (write) {
  const page = join(root, "docs/kernels.md");
  writeFileSync(page, withResults(readFileSync(page, "utf8"), matrixMarkdown(columns)));
}
process.exitCode = succeeded(results) ? 0 : 1;
