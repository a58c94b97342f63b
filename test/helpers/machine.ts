/** Machines for tests that boot one themselves. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Unavailable } from "../../tools/vm/apt.ts";
import type { Machine } from "../../tools/vm/machine.ts";
import { SharedFolder } from "../../tools/vm/shared-folder.ts";
import { userModeLinux } from "../../tools/vm/uml.ts";

const CACHE = join(import.meta.dirname, "../../.vm");

/** User-mode Linux; where it cannot be had the test is skipped, with the reason. */
export function requireMachine(t: TestContext): Machine | undefined {
  try {
    return userModeLinux(CACHE);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

/** The folder that a guest of it shares with this machine. */
export const sharedWith = ({ memory }: Machine): SharedFolder => new SharedFolder(memory * 2 ** 20, CACHE);
