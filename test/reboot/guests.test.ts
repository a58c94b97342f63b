/** Guests that hang or die are stopped and told of, and nothing of them is left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runScript } from "../../tools/vm/guest-script.ts";
import { eventually } from "../helpers/eventually.ts";
import { requireMachine, sharedWith } from "../helpers/machine.ts";

const SCRIPT = "test/reboot/ending.ts";

/** Processes that have a file of a folder open, or did when it was removed: a guest's memory is one. */
function usersOf(folder: string): string[] {
  const links = (pid: string): string[] => {
    try {
      return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return []; // It has ended meanwhile.
    }
  };
  return readdirSync("/proc").filter(
    (pid) => /^\d+$/.test(pid) && links(pid).some((target) => target.startsWith(folder)),
  );
}

for (const [how, args, patience, message] of [
  ["hangs", ["hang"], 120_000, /ending\.ts: the guest said nothing for too long and was stopped; .*hangs now/s],
  ["goes off", ["off"], 180_000, /ending\.ts: the guest ended before its job did; .*goes off now/s],
  ["fails", ["fail"], 180_000, /ending\.ts failed in the guest: Error: why it fails/],
] as const)
  test(`a guest that ${how} is told of with its reason, and nothing of it is left`, async (t) => {
    const machine = requireMachine(t);
    if (!machine) return;
    let path = "";
    {
      using shared = sharedWith(machine);
      ({ path } = shared);
      await assert.rejects(runScript({ ...machine, patience }, shared, { path: SCRIPT, args }), message);
      await eventually(() => assert.deepEqual(usersOf(path), []));
    }
    assert.equal(existsSync(path), false);
  });

test("when the one who booted a guest is told to end, the guest goes first, and then its folder", async (t) => {
  if (!requireMachine(t)) return;
  const booting = spawn(process.execPath, [join(import.meta.dirname, "booting.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(booting.stdout.setEncoding("utf8"), "data")) as [string];
  const path = said.trim();
  assert.ok(usersOf(path).length > 0);
  booting.kill("SIGTERM");
  await once(booting, "exit");
  assert.equal(existsSync(path), false);
  // What was killed takes a moment to be gone.
  await eventually(() => assert.deepEqual(usersOf(path), []));
});
