/**
 * `sluice migrate libreqos`: the `sluice.toml` for a LibreQoS installation, and what will be otherwise. Reads files, touches
 * nothing, and never overwrites one.
 */
import { writeFileSync } from "node:fs";
import { sluiceError } from "../../../core/errors.ts";
import { migrate } from "../../../shaper/libreqos/migrate/migrate.ts";
import { reportLines } from "../../../shaper/libreqos/migrate/report.ts";
import { dataPaths, LQOS_CONF, readLibreqosFiles, readLqosConf } from "../../../shaper/libreqos/read.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { reporting } from "../../report.ts";

/** Flags of `migrate libreqos`. */
export interface MigrateFlags {
  readonly json: boolean;
  /** Folder with the two data files; by default the configuration's. */
  readonly from?: string;
  readonly conf?: string;
  readonly output?: string;
}

/** Writes a file that is not there yet. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const reason = `"${path}" is there already and is not overwritten`;
    throw sluiceError("USAGE", { reason, command: "sluice migrate libreqos" }, { cause: error });
  }
}

async function migrateLibreqos(this: CliContext, flags: MigrateFlags): Promise<void> {
  const from = flags.conf ?? LQOS_CONF;
  const conf = readLqosConf(from);
  const migration = migrate({ conf, from, files: readLibreqosFiles(dataPaths(conf, flags.from)) });
  const { toml, findings, ready } = migration;
  if (flags.output !== undefined) writeNew(flags.output, toml);
  if (flags.json) {
    const written = flags.output === undefined ? {} : { written: flags.output };
    return answerJson(this, "migrate-libreqos", { ready, toml, findings, ...written });
  }
  const report = reportLines(migration).join("\n");
  if (flags.output === undefined) {
    note(this, report);
    this.process.stdout.write(toml);
    return undefined;
  }
  return answer(this, `${report}\nWritten to ${flags.output}.`);
}

/** Runs the command. */
export default reporting(migrateLibreqos);
