/** Guests that hang or die are stopped and told of, and nothing of them is left. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Unavailable } from "../../tools/vm/apt.ts";
import { runScript } from "../../tools/vm/guest-script.ts";
import type { Machine } from "../../tools/vm/machine.ts";
import { SharedFolder } from "../../tools/vm/shared-folder.ts";
import { userModeLinux } from "../../tools/vm/uml.ts";

const CACHE = join(import.meta.dirname, "../../.vm");
const SCRIPT = "test/reboot/ending.ts";

/** Processes with this on their command line. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

for (const [how, args, patience, message] of [
  ["hangs", ["hang"], 6000, /ending\.ts: the guest said nothing for too long and was stopped; its last words:\n/],
  ["goes off", ["off"], 60_000, /ending\.ts: the guest ended before its job did; its last words:\n/],
  ["fails", ["fail"], 60_000, /ending\.ts failed in the guest: Error: why it fails/],
] as const)
  test(`a guest that ${how} is told of with its reason, and nothing of it is left`, async (t) => {
    let machine: Machine;
    try {
      machine = { ...userModeLinux(CACHE), patience };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return t.skip(error.message);
    }
    using shared = new SharedFolder(machine.memory * 2 ** 20, CACHE);
    await assert.rejects(runScript(machine, shared, { path: SCRIPT, args }), message);
    assert.deepEqual(processesWith(`shared=${shared.path}`), []);
  });
