/** The plug is pulled in the middle of changes, and the machine started again with what it had on its disk. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Unavailable } from "../../tools/vm/apt.ts";
import type { Handle } from "../../tools/vm/boot.ts";
import { runScript } from "../../tools/vm/guest-script.ts";
import { SHARED_IN_GUEST } from "../../tools/vm/job.ts";
import type { Machine } from "../../tools/vm/machine.ts";
import { SharedFolder } from "../../tools/vm/shared-folder.ts";
import { userModeLinux } from "../../tools/vm/uml.ts";

const CACHE = join(import.meta.dirname, "../../.vm");
const PATIENCE = 120_000;

function machineOr(skip: (reason: string) => void): Machine | undefined {
  try {
    return userModeLinux(CACHE);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    skip(error.message);
    return undefined;
  }
}

test("a machine that went off in the middle of applies and attaches heals at its next start", async (t) => {
  const machine = machineOr((reason) => t.skip(reason));
  if (!machine) return;
  using shared = new SharedFolder(machine.memory * 2 ** 20, CACHE);
  mkdirSync(join(shared.path, "disk"));
  const script = (when: "before" | "after") => ({
    path: "test/reboot/scenes.ts",
    args: [when, `${SHARED_IN_GUEST}/disk`],
  });
  const ready = join(shared.path, "disk/before");
  const pull = async ({ kill }: Handle): Promise<void> => {
    for (let waited = 0; !existsSync(ready) && waited < PATIENCE; waited += 50) await setTimeout(50);
    kill();
  };
  await runScript(machine, shared, script("before"), (handle) => void pull(handle));
  assert.ok(existsSync(ready), "every scene came to the point where the plug is pulled");
  await runScript(machine, shared, script("after"));
  assert.ok(existsSync(join(shared.path, "disk/after")));
});
