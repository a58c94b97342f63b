/**
 * Loaded into a daemon before anything else (`--import`): a wall clock that can be set, as NTP or an operator sets one.
 * On SIGUSR2 it is set off by as many milliseconds as the file says that `SLUICE_TEST_CLOCK` names. The kernel's clock, by which
 * others stamp, stays as it is.
 */
import { readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env["SLUICE_TEST_CLOCK"];
if (isMainThread && file !== undefined) {
  const now = Date.now.bind(Date);
  let offset = 0;
  Date.now = () => now() + offset;
  process.on("SIGUSR2", () => (offset = Number(readFileSync(file, "utf8"))));
}
