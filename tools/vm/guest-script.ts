/** Runs one script of ours in a guest of its own, for what wants another kernel, or a machine whose plug can be pulled. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { causeText } from "../testing/report.ts";
import { boot, type Handle, lastWords } from "./boot.ts";
import { outcomeName, readOutcome, writeJob } from "./job.ts";
import type { Machine } from "./machine.ts";
import type { SharedFolder } from "./shared-folder.ts";

/** A script, from the project's folder, and its arguments. */
export interface Script {
  readonly path: string;
  readonly args: readonly string[];
}

const ROOT = join(import.meta.dirname, "../..");

/**
 * Boots a guest and runs the script in it; resolves when it is off. `/run/shared` in the guest is the shared folder. With
 * `started` its plug may be pulled: then the script does not come to its end, and nobody minds.
 *
 * @throws Error when the script fails, or the guest ends before it
 */
export async function runScript(
  machine: Machine,
  shared: SharedFolder,
  script: Script,
  started?: (handle: Handle) => void,
): Promise<void> {
  rmSync(join(shared.path, outcomeName(0)), { force: true });
  writeJob(shared.path, ROOT, { modules: machine.modules, netns: [], vm: [], script });
  let pulled = false;
  const ended = await boot(machine, { number: 0, root: ROOT, shared: shared.path }, ({ refresh, kill }) =>
    started?.({
      refresh,
      kill: () => {
        pulled = true;
        kill();
      },
    }),
  );
  const { results, finished } = readOutcome(shared.path, 0);
  const [failure] = results.flatMap(({ failures }) => failures);
  if (failure) throw new Error(`${script.path} failed in the guest: ${causeText(failure.cause)}`);
  if (!finished && !pulled) throw new Error(`${script.path}: ${lastWords(ended)}`);
}
