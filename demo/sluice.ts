/** Runs the `sluice` command as a user would, and shows what it was and what it said. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const COMMAND = join(import.meta.dirname, "../bin/sluice");

/**
 * Runs a command with its answer on our own stdout, and returns the answer; any exit code but the expected one ends the
 * demo. `quiet` leaves out warnings already seen.
 */
export function sluice(
  args: readonly string[],
  options: { readonly expect?: number; readonly quiet?: boolean } = {},
): string {
  const { expect = 0, quiet = false } = options;
  console.log(`\n$ sluice ${args.filter((arg, i) => !hidden(args, i)).join(" ")}`);
  const result = spawnSync(COMMAND, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const failed = result.status !== expect;
  if (failed || !quiet) process.stdout.write(result.stderr);
  process.stdout.write(result.stdout);
  if (failed) throw new Error(`sluice ${args[0]} ended with code ${result.status}`);
  return result.stdout;
}

/** The namespace and the files are the demo's, not what a user would type. */
const hidden = (args: readonly string[], i: number): boolean =>
  ["--netns", "--config"].includes(args[i]!) || ["--netns", "--config"].includes(args[i - 1]!);
