/**
 * `sluice shaper export`: what LibreQoS would do with the same files, as the texts it writes. Needs no rights, and with
 * `--queues` no interfaces. Changes nothing but the files named.
 */
import { writeFileSync } from "node:fs";
import type { Output as Answer } from "../../../api/routes.ts";
import { type SluiceError, sluiceError } from "../../../core/errors.ts";
import { answerJson, type CliContext, note } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";

/** Flags of `shaper export`. An output without a file, or `-`, is stdout. */
export interface ExportFlags extends PlaceFlags {
  readonly json: boolean;
  readonly dialect: "libreqos";
  readonly conf?: string;
  readonly from?: string;
  readonly queues?: number;
  readonly strict: boolean;
  readonly tc?: string;
  readonly queuingStructure?: string;
  readonly ipMappings?: string;
}

type Exported = Answer<"shaper.export">;

const COMMAND = "sluice shaper export";
const usage = (reason: string): SluiceError => sluiceError("USAGE", { reason, command: COMMAND });

/** What is written where. */
interface Output {
  readonly path: string;
  readonly key: "tc" | "queuingStructure" | "ipMappings";
}

/** The outputs that the flags ask for: the lines, when they ask for none. */
function outputsOf(flags: ExportFlags): readonly Output[] {
  const outputs = (["tc", "queuingStructure", "ipMappings"] as const).flatMap((key): Output[] => {
    const path = flags[key];
    return path === undefined ? [] : [{ key, path: path === "-" ? "" : path }];
  });
  const all = outputs.length > 0 ? outputs : [{ path: "", key: "tc" as const }];
  const shown = all.filter(({ path }) => path === "").length;
  if (shown > 1) throw usage("only one of --tc, --queuing-structure and --ip-mappings can go to stdout");
  if (shown > 0 && flags.json) throw usage("--json needs a FILE for every output");
  return all;
}

async function exported(context: CliContext, flags: ExportFlags): Promise<Exported> {
  const { conf, from, queues, strict, netns } = flags;
  if (queues !== undefined && (!Number.isInteger(queues) || queues < 1))
    throw usage(`--queues is ${queues}, wanted 1 or more`);
  if (conf === undefined) {
    if (from !== undefined) throw usage("--from needs --conf; sluice.toml names its files itself");
    const query = {
      strict: strict ? "true" : "false",
      ...(queues !== undefined && { queues: String(queues) }),
    } as const;
    return perform(context, flags, "shaper.export", { query });
  }
  if (flags.config !== undefined) throw usage("only one of --conf and --config can be given");
  const { exportLibreqos, lqosSource } = await import("../../../control/shaper/export.ts");
  const options = { strict, ...(queues !== undefined && { queues }), ...(netns !== undefined && { netns }) };
  return exportLibreqos(lqosSource(conf, from), options);
}

async function exportShaper(this: CliContext, flags: ExportFlags): Promise<void> {
  const outputs = outputsOf(flags);
  const result = await exported(this, flags);
  for (const { path, key } of outputs) {
    if (path === "") this.process.stdout.write(result[key]);
    else writeFileSync(path, result[key]);
  }
  if (flags.json) {
    const { schema, lines, warnings } = result;
    const written = outputs.map(({ path }) => path);
    return answerJson(this, { schema, lines, written, warnings });
  }
  for (const line of warningLines(result.warnings)) note(this, line);
  return undefined;
}

/** Runs the command. */
export default reporting(exportShaper);
