/** Runs a job in as many guests as there are processors for them, and gathers what they tell. */
import { watch } from "node:fs";
import { causeText, fileLine } from "../testing/report.ts";
import type { FileResult } from "../testing/run-file.ts";
import { remark } from "../testing/tier.ts";
import { boot, type Ended, lastWords, panicked } from "./boot.ts";
import { type Job, type Outcome, outcomeName, readOutcome, sayEnough, unclaim, writeJob } from "./job.ts";
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
 * Runs the job on a machine; each file's line is shown when it has ended, after the machine's label if it has one. Where a
 * kernel panics, another guest goes on with what it ran and what is left: that is told, and a second time is a failure. Emulated
 * ones do once in a while, where 6.12 patches its own code (an int3 in bpf_dispatcher_xdp_func that nobody expects any more).
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
  const ends = new Map<number, Ended>();
  const followed = new Set<number>();
  const begin = async (number: number, again: boolean): Promise<void> => {
    const ended = await boot(machine, { number, root, shared: shared.path }, ({ refresh }) =>
      refreshes.set(outcomeName(number), refresh),
    ).catch((error: unknown) => ({ console: [causeText(error)], stopped: "could not be started" }));
    ends.set(number, ended);
    const { finished, running } = readOutcome(shared.path, number);
    if (finished || running === undefined || !again || !panicked(ended)) return;
    console.log(`${machine.label ?? "a guest"}  ${running} is run again: ${lastWords(ended)}`);
    followed.add(number);
    unclaim(shared.path, running);
    const successor = numbers.length;
    numbers.push(successor);
    await begin(successor, false);
  };
  const enough = within === undefined ? undefined : setTimeout(() => sayEnough(shared.path), within * 1000);
  await Promise.all(numbers.map((number) => begin(number, true)));
  clearTimeout(enough);
  watcher.close();
  show();

  const told = outcomes();
  const deaths = told.flatMap(({ finished, running }, number) =>
    finished || followed.has(number) ? [] : [death(ends.get(number)!, running)],
  );
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
