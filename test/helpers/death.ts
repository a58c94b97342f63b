/** How a process of the crash tests ends. */
import { writeFileSync } from "node:fs";

/**
 * Kills this process by SIGKILL. Where the machine's plug is to be pulled instead (`SLUICE_TEST_PLUG` names a file) it says
 * by that file that it is time, and does nothing more.
 */
export function die(): void {
  const file = process.env["SLUICE_TEST_PLUG"];
  if (file === undefined) process.kill(process.pid, "SIGKILL");
  else {
    writeFileSync(file, "");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
}
