/** The folder in which guests keep their memory, and host and guests meet. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "./at-exit.ts";

/**
 * Whether a folder can hold a guest's memory: a file which the guest's programs are run from, so it must not be on a file
 * system that is mounted noexec.
 */
function canHold(folder: string, bytes: number): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < bytes) return false;
    const probe = mkdtempSync(join(folder, "sluice-vm-"));
    writeFileSync(join(probe, "run"), "#!/bin/sh\n", { mode: 0o755 });
    const { status } = spawnSync(join(probe, "run"));
    rmSync(probe, { recursive: true });
    return status === 0;
  } catch {
    return false; // Not there, or not for us.
  }
}

/** A folder that is gone with everything in it when it is disposed, and when this process ends. */
export class SharedFolder implements Disposable {
  readonly path: string;
  readonly #ended: Disposable;

  /** @throws Error when none of the usual places has so much room and runs programs; memory is the first of them */
  constructor(bytes: number, lastResort: string) {
    const parent = ["/dev/shm", tmpdir(), lastResort].find((folder) => canHold(folder, bytes));
    if (parent === undefined)
      throw new Error(`Cannot boot: no folder has ${bytes / 2 ** 20} MiB and lets programs run from it`);
    this.path = mkdtempSync(join(parent, "sluice-vm-"));
    this.#ended = atExit(() => this.#remove());
  }

  #remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.dispose](): void {
    this.#remove();
    this.#ended[Symbol.dispose]();
  }
}
