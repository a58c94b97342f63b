/** Runs a job in as many guests as there are processors for them, and gathers what they tell. */
import { watch } from "node:fs";
import { causeText, fileLine } from "../testing/report.ts";
import type { FileResult } from "../testing/run-file.ts";
import { remark } from "../testing/tier.ts";
import { boot, type Ended, lastWords } from "./boot.ts";
import { type Job, type Outcome, outcomeName, readOutcome, sayEnough, writeJob } from "./job.ts";
import type { Machine } from "./machine.ts";
import type { Column } from "./matrix.ts";
import { SharedFolder } from "./shared-folder.ts";

/** Files that take longest, which are begun first: the end is near when all guests have come to their last file. */
const LONGEST = /netns\/(crash|dispatcher-crash|shaper|cli|dispatcher-(doctor|load))\.test/;
const longestFirst = (files: readonly string[]): string[] =>
  files.toSorted((a, b) => Number(LONGEST.test(b)) - Number(LONGEST.test(a)));

/** The failure of a guest that did not come to its job's end. */
const death = (ended: Ended, running?: string): FileResult => {
  const cause = `${running === undefined ? "" : `while it ran ${running}, `}${lastWords(ended)}`;
  return remark("the virtual machine", { failures: [{ path: [], cause }] });
};

const skipped = (file: string, reason: string): FileResult => remark(file, { skips: [{ path: [], reason }] });

/**
 * Runs the job on a machine; each file's line is shown when it has ended, after the machine's label if it has one.
 *
 * @param cache where it may keep what it needs
 * @param within seconds after which no file is begun any more: those left are skipped, and say so
 */
export async function runInGuests(
  root: string,
  machine: Machine,
  cache: string,
  job: Pick<Job, "netns" | "vm">,
  within?: number,
): Promise<Column> {
  const leftOut = [...job.netns, ...job.vm].flatMap((file) => {
    const reason = machine.leavesOut?.(file);
    return reason === undefined ? [] : [skipped(file, reason)];
  });
  const runs = (files: readonly string[]) => files.filter((file) => !leftOut.some((result) => result.file === file));
  const [netns, vm] = [runs(job.netns), runs(job.vm)];
  const unknown = `${machine.label ?? "unknown"}, ${machine.title}`;
  const count = Math.min(machine.guests, netns.length + vm.length);
  if (count === 0) return { kernel: unknown, results: leftOut };
  using shared = new SharedFolder(machine.keepsMemoryInFolder ? count * machine.memory * 2 ** 20 : 2 ** 24, cache);
  writeJob(shared.path, root, { modules: machine.modules, vm, netns: longestFirst(netns) });
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
  const begin = (number: number): Promise<Ended> =>
    boot(machine, { number, root, shared: shared.path }, ({ refresh }) =>
      refreshes.set(outcomeName(number), refresh),
    ).catch((error: unknown) => ({ console: [causeText(error)], stopped: "could not be started" }));
  const enough = within === undefined ? undefined : setTimeout(() => sayEnough(shared.path), within * 1000);
  const ends = await Promise.all(numbers.map(begin));
  clearTimeout(enough);
  watcher.close();
  show();

  const told = outcomes();
  const deaths = told.flatMap(({ finished, running }, number) => (finished ? [] : [death(ends[number]!, running)]));
  const begun = new Set(told.flatMap(({ results, running }) => [...results.map(({ file }) => file), running]));
  const reason = `the ${within} s for all of them were over before it was begun`;
  const late =
    deaths.length > 0 ? [] : [...netns, ...vm].filter((file) => !begun.has(file)).map((file) => skipped(file, reason));
  const release = told.find((outcome) => outcome.kernel !== undefined)?.kernel;
  return {
    kernel: release === undefined ? unknown : `${release}, ${machine.title}`,
    results: [...leftOut, ...late, ...told.flatMap(({ results }) => results), ...deaths],
  };
}
