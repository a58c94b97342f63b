/** Runs the files of a tier and shows each as it ends. */
import { join } from "node:path";
import type { Tier } from "./files.ts";
import { causeText, fileLine } from "./report.ts";
import { type FileResult, runFile } from "./run-file.ts";

/** Files at a time: the tiers on a real kernel share it, so one. */
const CONCURRENCY: Readonly<Record<Tier, number>> = { unit: 2, netns: 1, vm: 1, reboot: 1 };

/**
 * So many files that failed are run once more when all others are done: machines that others share are late now and then,
 * and a fault comes again. What passes then is told in full all the same.
 */
const MOST_UNSTEADY = 2;
/** What takes longer, ms, is not run again: all of a run has its time too. */
const LONGEST = 300_000;

/** A result that is not of a test file: something the run itself found, or left out. */
export const remark = (file: string, part: Partial<FileResult>): FileResult => ({
  file,
  passed: 0,
  failures: [],
  skips: [],
  notes: [],
  output: "",
  milliseconds: 0,
  ...part,
});

const show = (result: FileResult): void => console.log(fileLine(result));

const failed = ({ failures }: FileResult): boolean => failures.length > 0;

/** Whether it may pass with other luck: not what took long, nor what was found at random, which has a seed to find it by. */
const mayPass = ({ failures, milliseconds }: FileResult): boolean =>
  milliseconds < LONGEST && !failures.some(({ cause }) => /\bseed\b/i.test(causeText(cause)));

/** Runs those that failed again, if they are few. */
async function again(
  results: readonly FileResult[],
  run: (file: string) => Promise<FileResult>,
): Promise<FileResult[]> {
  const few = results.length <= MOST_UNSTEADY;
  const after: FileResult[] = [];
  for (const first of results) {
    const second = few && mayPass(first) ? await run(first.file) : first;
    after.push(failed(second) ? first : { ...second, output: first.output, unsteady: first.failures });
  }
  return after;
}

/** Runs files of a tier, paths from `root`. `ended` is told of each when it is done; it shows it unless told otherwise. @param run for tests */
export async function runTier(
  root: string,
  tier: Tier,
  files: Iterable<string>,
  ended: (result: FileResult) => void = show,
  run: (root: string, file: string) => Promise<FileResult> = runFile,
): Promise<FileResult[]> {
  const queue = Iterator.from(files);
  const results: FileResult[] = [];
  const late: FileResult[] = [];
  const end = (result: FileResult): void => {
    ended(result);
    results.push(result);
  };
  const work = async () => {
    for (const file of queue) {
      const result = await run(root, join(root, file));
      if (failed(result)) late.push(result);
      else end(result);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY[tier] }, work));
  for (const result of await again(late, (file) => run(root, join(root, file)))) end(result);
  return results;
}

/**
 * Runs files on the kernel of this machine, as root, between two looks at it; what the second one finds more is a failure.
 * Without root all of them count as skipped.
 */
export async function runOnKernel(
  root: string,
  tier: "netns" | "vm",
  files: Iterable<string>,
  ended: (result: FileResult) => void = show,
): Promise<FileResult[]> {
  if (process.geteuid?.() !== 0) {
    const reason = "the netns tier makes network namespaces: run npm test as root";
    return [...files].map((file) => remark(file, { skips: [{ path: [], reason }] }));
  }
  const { leaksSince, snapshot } = await import("../../test/helpers/leaks.ts");
  const before = snapshot();
  const results = await runTier(root, tier, files, ended);
  const leaks = results.length > 0 ? await leaksSince(before) : [];
  if (leaks.length > 0) {
    const cause = `the tests left behind:\n${leaks.map((leak) => `  ${leak}`).join("\n")}`;
    const left = remark(`test/${tier}`, { failures: [{ path: [], cause }] });
    ended(left);
    results.push(left);
  }
  return results;
}
