/** Carries the bakery's commands out: into a file, as LibreQoS did for its first releases, or into the kernel by tc. */
import { appendFileSync } from "node:fs";
import { sluiceError } from "../../core/errors.ts";
import type { TcRunner } from "../../linux/tc/runner.ts";
import type { LibreqosSettings } from "../libreqos/settings.ts";
import { clearedDevices, clearLine, commandLines } from "./lines.ts";
import type { BakeryCommand } from "./model.ts";

/** What becomes of commands: a line each in a file, or tc's to do. */
export type BakeryMode =
  | { readonly kind: "file"; readonly path: string }
  | {
      readonly kind: "execute";
      readonly tc: TcRunner;
      /** The kind of the qdisc at a device's root, `mq`; undefined when there is none that anybody made. */
      readonly rootOf: (device: string) => string | undefined;
    };

type Executing = Extract<BakeryMode, { readonly kind: "execute" }>;

/** Failing lines that are named in an error; the rest is counted. */
const NAMED = 20;

/** Roots that are trees of LibreQoS's making; anybody else's stay. */
const clearLines = ({ link }: LibreqosSettings, rootOf: Executing["rootOf"]): string[] =>
  clearedDevices(link)
    .filter((device) => rootOf(device) === "mq")
    .map(clearLine);

async function execute({ tc, rootOf }: Executing, command: BakeryCommand, settings: LibreqosSettings): Promise<void> {
  const lines = command.kind === "ClearPriorSettings" ? clearLines(settings, rootOf) : commandLines(command, settings);
  if (lines.length === 0) return;
  const outcomes = await tc.batch(lines, command.kind === "ExecuteTCCommands" && command.forceMode);
  const failures = outcomes.flatMap((error, i) => (error ? [`line ${i + 1} "${lines[i]}": ${error.message}`] : []));
  if (failures.length === 0) return;
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
  if (mode.kind === "execute") return await execute(mode, command, settings);
  const lines = commandLines(command, settings);
  appendFileSync(mode.path, lines.map((line) => `${line}\n`).join(""));
}
