/**
 * Runs tests on other kernels: `node tools/vm.ts [--qemu] [--within SECONDS] [part of a path ...]` boots user-mode Linux with
 * CAKE, fq_codel and netem, or with --qemu two of Debian's kernels in QEMU (as root), and runs test/netns and test/vm in
 * them; beside user-mode Linux test/reboot, on machines of its own. After so many seconds no file is begun any more, and
 * those left count as skipped. The last line is `N passed, N failed, N skipped`; exit 1 when one
 * failed or none ran, 69 when there is no kernel to boot.
 *
 * What ran without a part of a path is kept, as `npm test` keeps what ran on this machine's kernel. `node tools/vm.ts
 * --write-matrix` runs nothing, and writes the last of each kernel into docs/kernels.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { testFiles } from "./testing/files.ts";
import { reportLines, succeeded } from "./testing/report.ts";
import { remark, runTier } from "./testing/tier.ts";
import { Unavailable } from "./vm/apt.ts";
import { endBySignals } from "./vm/at-exit.ts";
import { runInGuests } from "./vm/guests.ts";
import { keep, readKept } from "./vm/kept.ts";
import type { Machine } from "./vm/machine.ts";
import { matrixMarkdown, matrixText, withResults } from "./vm/matrix.ts";
import { emulatedMachines } from "./vm/qemu.ts";
import { userModeLinux } from "./vm/uml.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".vm");
const NO_KERNEL = 69;

function writeMatrix(): void {
  const columns = readKept(root);
  if (columns.length === 0) {
    console.error("Nothing is kept: run npm test, npm run test:vm and npm run test:vm:qemu first, all of each");
    process.exit(1);
  }
  const page = join(root, "docs/kernels.md");
  writeFileSync(page, withResults(readFileSync(page, "utf8"), matrixMarkdown(columns)));
  console.log(`docs/kernels.md has ${columns.map(({ kernel }) => kernel).join("; ")}`);
}

function machinesOrSkip(qemu: boolean, filters: readonly string[]): Machine[] {
  try {
    return qemu ? emulatedMachines(cache) : [userModeLinux(cache)];
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const skipped = remark(qemu ? "test/vm in QEMU" : "test/vm", { skips: [{ path: [], reason: error.message }] });
    console.log(reportLines([skipped], filters).join("\n"));
    process.exit(NO_KERNEL);
  }
}

async function runTests(qemu: boolean, filters: readonly string[], within?: number): Promise<void> {
  endBySignals();
  const machines = machinesOrSkip(qemu, filters);
  const job = { netns: testFiles(root, "netns", filters), vm: testFiles(root, "vm", filters) };
  const reboots = machines.some(({ pullsPlug }) => pullsPlug) ? testFiles(root, "reboot", filters) : [];
  const [rebooted, ...ran] = await Promise.all([
    runTier(root, "reboot", reboots),
    ...machines.map((machine) => runInGuests(root, machine, cache, job, within)),
  ]);
  const columns = ran.map((column) => ({ ...column, results: [...column.results, ...rebooted] }));
  if (filters.length === 0) for (const column of columns) keep(root, column);
  const results = columns.flatMap((column) => column.results);
  if (results.length > 0) console.log(["", ...matrixText(columns)].join("\n"));
  console.log(reportLines(results, filters).join("\n"));
  process.exitCode = succeeded(results) ? 0 : 1;
}

function usage(): never {
  console.error(`Wanted [--qemu] [--within SECONDS] [part of a path ...], or --write-matrix alone`);
  process.exit(64);
}

function commandLine() {
  const options = {
    qemu: { type: "boolean" },
    within: { type: "string" },
    "write-matrix": { type: "boolean" },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    console.error((error as Error).message);
    return usage();
  }
}

const { values, positionals } = commandLine();
const { qemu = false, within } = values;
if (within !== undefined && !/^\d{1,6}$/.test(within)) usage();
if (!values["write-matrix"]) await runTests(qemu, positionals, within === undefined ? undefined : Number(within));
else if (process.argv.length === 3) writeMatrix();
else usage();
