/** What host and guests tell each other: files in a folder that all of them see. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { causeText } from "../testing/report.ts";
import type { Failure, FileResult } from "../testing/run-file.ts";

/** Where a guest sees the folder. */
export const SHARED_IN_GUEST = "/run/shared";

/** What the guests shall do together. */
export interface Job {
  /** Kernel modules to load, absolute paths in order. */
  readonly modules: readonly string[];
  /** Test files to run, from the project's folder. */
  readonly netns: readonly string[];
  readonly vm: readonly string[];
  /** A script to run instead, in the runner's process. */
  readonly script?: { readonly path: string; readonly args: readonly string[] };
}

/** What came of it in one guest. */
export interface Outcome {
  /** `6.1.176`; absent when the guest did not get that far. */
  readonly kernel?: string;
  readonly results: readonly FileResult[];
  /** The file that it was running when it told its last. */
  readonly running?: string;
  /** Whether it came to the end of the job. */
  readonly finished: boolean;
}

type Line =
  | { readonly kernel: string }
  | { readonly begun: string }
  | { readonly result: FileResult }
  | { readonly finished: true };

/** A word of the shell's. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The last step of init: our runner, with the host's Node and search path. */
const startScript = (root: string): string =>
  `cd ${quoted(root)}\n` +
  `export PATH=${quoted(`${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`)}:$PATH NO_COLOR=1\n` +
  `exec node tools/vm/guest.ts\n`;

/** Leaves the job for the guests, and the script that begins it. @param root the project's folder */
export function writeJob(folder: string, root: string, job: Job): void {
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  writeFileSync(join(folder, "start"), startScript(root));
}

/** Reads the job that the host left. */
export function readJob(folder: string): Job {
  return JSON.parse(readFileSync(join(folder, "job.json"), "utf8")) as Job;
}

/** Once it is there no guest begins another file. */
const enoughFile = (folder: string): string => join(folder, "enough");

/** Lets the guests end after what they run now. */
export const sayEnough = (folder: string): void => writeFileSync(enoughFile(folder), "");

const claimFile = (folder: string, file: string): string => join(folder, `claim-${encodeURIComponent(file)}`);

/** Lets another guest run a file that one had begun. */
export const unclaim = (folder: string, file: string): void => rmSync(claimFile(folder, file), { force: true });

/** Whether a file is ours to run: true for the first guest that asks, unless it was said to be enough. */
export function claim(folder: string, file: string): boolean {
  if (existsSync(enoughFile(folder))) return false;
  try {
    writeFileSync(claimFile(folder, file), "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The file in the folder in which a guest tells what came of it. */
export const outcomeName = (guest: number): string => `outcome-${guest}`;

const outcomeFile = (folder: string, guest: number): string => join(folder, outcomeName(guest));

/** Tells the host something, so that it is known even if the guest dies right after. */
export function report(folder: string, guest: number, line: Line): void {
  appendFileSync(outcomeFile(folder, guest), `${JSON.stringify(line)}\n`);
}

const tellableFailure = ({ path, cause }: Failure): Failure => ({ path, cause: causeText(cause) });

/** A result as it can be told: what was thrown becomes its text. */
export const tellable = (result: FileResult): FileResult => ({
  ...result,
  failures: result.failures.map(tellableFailure),
  ...(result.unsteady && { unsteady: result.unsteady.map(tellableFailure) }),
});

/** What a guest has told so far; a line that it has not finished is left out. */
export function readOutcome(folder: string, guest: number): Outcome {
  const file = outcomeFile(folder, guest);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  const kernel = lines.find((line) => "kernel" in line)?.kernel;
  const last = lines.at(-1);
  return {
    ...(kernel !== undefined && { kernel }),
    ...(last && "begun" in last && { running: last.begun }),
    results: lines.flatMap((line) => ("result" in line ? [line.result] : [])),
    finished: lines.some((line) => "finished" in line),
  };
}
