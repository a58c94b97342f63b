/**
 * `sluice migrate libreqos`: the `sluice.toml` for a LibreQoS installation, and what will be otherwise. Reads files, touches
 * nothing, and never overwrites one.
 */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { reporting } from "../../report.ts";
import { writeNew } from "../../write-new.ts";

/** Flags of `migrate libreqos`. */
export interface MigrateFlags {
  readonly json: boolean;
  /** Folder with the two data files; by default the configuration's. */
  readonly from?: string;
  readonly conf?: string;
  readonly output?: string;
}

async function migrateLibreqos(this: CliContext, flags: MigrateFlags): Promise<void> {
  const { migrateFiles } = await import("../../../control/shaper/migrate.ts");
  const { toml, findings, ready, report } = migrateFiles(flags);
  if (flags.output !== undefined) writeNew(flags.output, toml, "sluice migrate libreqos");
  if (flags.json) {
    const written = flags.output === undefined ? {} : { written: flags.output };
    return answerJson(this, { schema: "sluice/migrate-libreqos/1", ready, toml, findings, ...written });
  }
  if (flags.output === undefined) {
    note(this, report);
    this.process.stdout.write(toml);
    return undefined;
  }
  return answer(this, `${report}\nWritten to ${flags.output}.`);
}

/** Runs the command. */
export default reporting(migrateLibreqos);
