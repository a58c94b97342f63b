/** Carries the bakery's commands out: into a file, as LibreQoS did for its first releases, or into the kernel by tc. */
import { appendFileSync } from "node:fs";
import { sluiceError } from "../../core/errors.ts";
import type { TcRunner } from "../../linux/tc/runner.ts";
import type { LibreqosSettings } from "../libreqos/settings.ts";
import { commandLines } from "./lines.ts";
import type { BakeryCommand } from "./model.ts";

/** What becomes of commands: a line each in a file, or tc's to do. */
export type BakeryMode =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "execute"; readonly tc: TcRunner };

/** Failing lines that are named in an error; the rest is counted. */
const NAMED = 20;

async function execute(tc: TcRunner, command: BakeryCommand, lines: readonly string[]): Promise<void> {
  // Of two devices one may have no tree of ours yet: there is nothing to clear then.
  const force = command.kind === "ClearPriorSettings" || (command.kind === "ExecuteTCCommands" && command.forceMode);
  const outcomes = await tc.batch(lines, force);
  const failures = outcomes.flatMap((error, i) => (error ? [`line ${i + 1} "${lines[i]}": ${error.message}`] : []));
  if (failures.length === 0 || command.kind === "ClearPriorSettings") return;
  const named = failures.slice(0, NAMED).join("; ");
  const rest = failures.length > NAMED ? `; and ${failures.length - NAMED} more` : "";
  throw sluiceError("BAKERY_LINES", {
    command: command.kind,
    failed: failures.length,
    total: lines.length,
    lines: named + rest,
  });
}

/**
 * Carries a command out.
 *
 * @throws SluiceError BAKERY_LINES with each line that failed and why; an Error of the file system in file mode
 */
export async function carryOut(command: BakeryCommand, settings: LibreqosSettings, mode: BakeryMode): Promise<void> {
  const lines = commandLines(command, settings);
  if (mode.kind === "execute") return await execute(mode.tc, command, lines);
  appendFileSync(mode.path, lines.map((line) => `${line}\n`).join(""));
}
