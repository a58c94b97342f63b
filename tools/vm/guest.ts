/**
 * Runs in a guest, started by init.sh: loads modules, runs test files that no other guest has taken, or a script, and tells
 * the host.
 */
import { release } from "node:os";
import { join } from "node:path";
import type { FileResult } from "../testing/run-file.ts";
import { remark, runOnKernel } from "../testing/tier.ts";
import { claim, type Job, readJob, report, SHARED_IN_GUEST, tellable } from "./job.ts";
import { loadModules } from "./modules.ts";

const root = join(import.meta.dirname, "../..");
const guest = Number(process.env["guest"]);
const { modules, netns, vm, script } = readJob(SHARED_IN_GUEST);
report(SHARED_IN_GUEST, guest, { kernel: release() });
loadModules(modules);
const tell = (result: FileResult) => report(SHARED_IN_GUEST, guest, { result: tellable(result) });

async function runScript({ path, args }: NonNullable<Job["script"]>): Promise<void> {
  process.argv.splice(1, Infinity, join(root, path), ...args);
  try {
    await import(join(root, path));
  } catch (cause) {
    tell(remark(path, { failures: [{ path: [], cause }] }));
  }
}

async function runTests(): Promise<void> {
  const unclaimed = (files: readonly string[]) =>
    files.values().filter((file) => {
      const ours = claim(SHARED_IN_GUEST, file);
      if (ours) report(SHARED_IN_GUEST, guest, { begun: file });
      return ours;
    });
  await runOnKernel(root, "netns", unclaimed(netns), tell);
  await runOnKernel(root, "vm", unclaimed(vm), tell);
}

await (script ? runScript(script) : runTests());
report(SHARED_IN_GUEST, guest, { finished: true });
