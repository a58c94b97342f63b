/** Runs a job in as many guests as there are processors for them, and gathers what they tell. */
import { watch, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileLine } from "../testing/report.ts";
import type { FileResult } from "../testing/run-file.ts";
import { remark } from "../testing/tier.ts";
import { boot, type Ended } from "./boot.ts";
import { type Job, type Outcome, outcomeName, readOutcome, writeJob } from "./job.ts";
import type { Machine } from "./machine.ts";
import type { Column } from "./matrix.ts";
import { SharedFolder } from "./shared-folder.ts";

/** Files that take longest, which are begun first: the end is near when all guests have come to their last file. */
const LONGEST = /netns\/(crash|dispatcher-crash|shaper|cli|dispatcher-(doctor|load))\.test/;
const longestFirst = (files: readonly string[]): string[] =>
  files.toSorted((a, b) => Number(LONGEST.test(b)) - Number(LONGEST.test(a)));

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The last step of init: our runner, with the host's Node and search path. */
const startScript = (root: string): string =>
  `cd ${quoted(root)}\n` +
  `export PATH=${quoted(`${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`)}:$PATH NO_COLOR=1\n` +
  `exec node tools/vm/guest.ts\n`;

/** The failure of a guest that did not come to its job's end. */
function death({ hung, console: last }: Ended): FileResult {
  const what = hung ? "said nothing for too long and was stopped" : "ended before its job did";
  const cause = `the guest ${what}; its last words:\n${last.map((line) => `  ${line}`).join("\n")}`;
  return remark("the virtual machine", { failures: [{ path: [], cause }] });
}

/**
 * Runs the job on a machine; each file's line is shown when it has ended, after the machine's label if it has one.
 *
 * @param cache where it may keep what it needs
 */
export async function runInGuests(
  root: string,
  machine: Machine,
  cache: string,
  job: Omit<Job, "modules">,
): Promise<Column> {
  const count = Math.max(1, Math.min(machine.guests, job.netns.length + job.vm.length));
  using shared = new SharedFolder(machine.keepsMemoryInFolder ? count * machine.memory * 2 ** 20 : 2 ** 24, cache);
  writeJob(shared.path, { modules: machine.modules, vm: job.vm, netns: longestFirst(job.netns) });
  writeFileSync(join(shared.path, "start"), startScript(root));
  const numbers = Array.from({ length: count }, (_, number) => number);
  const outcomes = (): Outcome[] => numbers.map((number) => readOutcome(shared.path, number));

  const shown = new Set<string>();
  const show = () => {
    for (const result of outcomes().flatMap(({ results }) => results)) {
      const line = fileLine(result);
      if (!shown.has(line)) console.log([machine.label ?? [], line].flat().join("  "));
      shown.add(line);
    }
  };
  const refreshes = new Map<string, () => void>();
  const watcher = watch(shared.path, (_event, file) => {
    refreshes.get(file ?? "")?.();
    show();
  });
  const ends = await Promise.all(
    numbers.map((number) =>
      boot(machine, { number, root, shared: shared.path }, ({ refresh }) =>
        refreshes.set(outcomeName(number), refresh),
      ),
    ),
  );
  watcher.close();
  show();

  const told = outcomes();
  const deaths = told.flatMap(({ finished }, number) => (finished ? [] : [death(ends[number]!)]));
  const release = told.find((outcome) => outcome.kernel !== undefined)?.kernel ?? "unknown";
  return {
    kernel: `${release}, ${machine.title}`,
    results: [...told.flatMap(({ results }) => results), ...deaths],
  };
}
