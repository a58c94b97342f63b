/** The plug is pulled in the middle of changes, and the machine started again with what it had on its disk. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Handle } from "../../tools/vm/boot.ts";
import { runScript } from "../../tools/vm/guest-script.ts";
import { SHARED_IN_GUEST } from "../../tools/vm/job.ts";
import { requireMachine, sharedWith } from "../helpers/machine.ts";

/** Milliseconds that a scene may take to come to where the plug is pulled, and the machine to heal. */
const PATIENCE = 300_000;

test("a machine that went off in the middle of applies and attaches heals at its next start", async (t) => {
  const found = requireMachine(t);
  if (!found) return;
  const machine = { ...found, patience: PATIENCE };
  using shared = sharedWith(machine);
  mkdirSync(join(shared.path, "disk"));
  const script = (when: "before" | "after") => ({
    path: "test/reboot/scenes.ts",
    args: [when, `${SHARED_IN_GUEST}/disk`],
  });
  const ready = join(shared.path, "disk/before");
  const ended = new AbortController();
  const pull = async ({ kill }: Handle): Promise<void> => {
    while (!existsSync(ready) && !ended.signal.aborted) await setTimeout(50);
    if (!ended.signal.aborted) kill();
  };
  await runScript(machine, shared, script("before"), (handle) => void pull(handle)).finally(() => ended.abort());
  assert.ok(existsSync(ready), "every scene came to the point where the plug is pulled");
  await runScript(machine, shared, script("after"));
  assert.ok(existsSync(join(shared.path, "disk/after")));
});
