/** Runs in a guest, started by init.sh: loads modules, runs test files that no other guest has taken, tells the host. */
import { release } from "node:os";
import { join } from "node:path";
import type { FileResult } from "../testing/run-file.ts";
import { runOnKernel } from "../testing/tier.ts";
import { claim, readJob, report, SHARED_IN_GUEST, tellable } from "./job.ts";
import { loadModules } from "./modules.ts";

const root = join(import.meta.dirname, "../..");
const guest = Number(process.env["guest"]);
const { modules, netns, vm } = readJob(SHARED_IN_GUEST);
report(SHARED_IN_GUEST, guest, { kernel: release() });
loadModules(modules);
const unclaimed = (files: readonly string[]) => files.values().filter((file) => claim(SHARED_IN_GUEST, file));
const tell = (result: FileResult) => report(SHARED_IN_GUEST, guest, { result: tellable(result) });
await runOnKernel(root, "netns", unclaimed(netns), tell);
await runOnKernel(root, "vm", unclaimed(vm), tell);
report(SHARED_IN_GUEST, guest, { finished: true });
