/** Runs the files of a tier and shows each as it ends. */
import { join } from "node:path";
import type { Tier } from "./files.ts";
import { fileLine } from "./report.ts";
import { type FileResult, runFile } from "./run-file.ts";

/** Files at a time: the tiers on a real kernel share it, so one. */
const CONCURRENCY: Readonly<Record<Tier, number>> = { unit: 2, netns: 1, vm: 1, reboot: 1 };

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

/** Runs files of a tier, paths from `root`. `ended` is told of each when it is done; it shows it unless told otherwise. */
export async function runTier(
  root: string,
  tier: Tier,
  files: Iterable<string>,
  ended: (result: FileResult) => void = show,
): Promise<FileResult[]> {
  const queue = Iterator.from(files);
  const results: FileResult[] = [];
  const work = async () => {
    for (const file of queue) {
      const result = await runFile(root, join(root, file));
      ended(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY[tier] }, work));
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
