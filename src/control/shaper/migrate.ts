/** From a LibreQoS installation to a `sluice.toml`. Reads files, touches nothing. */
import { migrate } from "../../shaper/libreqos/migrate/migrate.ts";
import { reportLines } from "../../shaper/libreqos/migrate/report.ts";
import { dataPaths, LQOS_CONF, readLibreqosFiles, readLqosConf } from "../../shaper/libreqos/read.ts";

/** Where the files are: those of an ordinary installation when left out. */
export interface MigrateSource {
  readonly conf?: string;
  readonly from?: string;
}

/** The migration, and its report for people. @throws SluiceError with everything that is wrong with the files */
export function migrateFiles(source: MigrateSource): ReturnType<typeof migrate> & { readonly report: string } {
  const from = source.conf ?? LQOS_CONF;
  const conf = readLqosConf(from);
  const migration = migrate({ conf, from, files: readLibreqosFiles(dataPaths(conf, source.from)) });
  return { ...migration, report: reportLines(migration).join("\n") };
}
