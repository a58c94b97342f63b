/**
 * `sluice shaper export`: what LibreQoS would do with the same files, as the texts it writes. Needs no rights, and with
 * `--queues` no interfaces. Changes nothing but the files named.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { type Problem, problem, SluiceError, sluiceError } from "../../../core/errors.ts";
import { buildLibreqos, type LibreqosBuilt, type LibreqosFiles } from "../../../shaper/libreqos/build.ts";
import { optionsFromConfig } from "../../../shaper/libreqos/from-config.ts";
import { batchText } from "../../../shaper/libreqos/lines.ts";
import { mapAddresses, mappingLine } from "../../../shaper/libreqos/mappings.ts";
import { dataPaths, readLibreqosFiles, readLqosConf } from "../../../shaper/libreqos/read.ts";
import { rustExplanation, validateRust } from "../../../shaper/libreqos/rust/validate.ts";
import { countQueues, type LibreqosOptions, type QueueSources } from "../../../shaper/libreqos/settings.ts";
import { structureText } from "../../../shaper/libreqos/structure.ts";
import { answerJson, type CliContext, note } from "../../context.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";
import { type PlaceFlags, readShaperConfig } from "../../shaper-inputs.ts";

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

const COMMAND = "sluice shaper export";
const usage = (reason: string): SluiceError => sluiceError("USAGE", { reason, command: COMMAND });

/** What is written where. */
interface Output {
  readonly path: string;
  readonly text: (built: LibreqosBuilt) => string;
}

/** The outputs that the flags ask for: the lines, when they ask for none. */
function outputsOf({ tc, queuingStructure, ipMappings, json }: ExportFlags): readonly Output[] {
  const wished: readonly (readonly [path: string | undefined, text: Output["text"]])[] = [
    [tc, ({ commands }) => batchText(commands)],
    [queuingStructure, structureText],
    [ipMappings, (built) => mapAddresses(built).reduce((text, mapping) => `${text}${mappingLine(mapping)}\n`, "")],
  ];
  const outputs = wished.flatMap(([path, text]) =>
    path === undefined ? [] : { path: path === "-" ? "" : path, text },
  );
  const all = outputs.length > 0 ? outputs : [{ path: "", text: wished[0]![1] }];
  const shown = all.filter(({ path }) => path === "").length;
  if (shown > 1) throw usage("only one of --tc, --queuing-structure and --ip-mappings can go to stdout");
  if (shown > 0 && json) throw usage("--json needs a FILE for every output");
  return all;
}

/** Settings and files, by either configuration. */
interface Source {
  readonly options: LibreqosOptions;
  readonly files: LibreqosFiles;
  readonly override: number;
}

async function readSource(flags: ExportFlags): Promise<Source> {
  if (flags.conf === undefined) {
    if (flags.from !== undefined) throw usage("--from needs --conf; sluice.toml names its files itself");
    const { config } = await readShaperConfig(flags);
    const options = optionsFromConfig(config);
    if (!options) throw usage(`LibreQoS has no leaf such as shaper.leaf = "${config.leaf.kind}"`);
    return { options, files: readLibreqosFiles(config), override: config.queues ?? 0 };
  }
  if (flags.config !== undefined) throw usage("only one of --conf and --config can be given");
  const conf = readLqosConf(flags.conf);
  return { options: conf.options, files: readLibreqosFiles(dataPaths(conf, flags.from)), override: conf.override };
}

/** Counts the queues that LibreQoS would find here. */
async function findQueues(flags: ExportFlags, { options, override }: Source): Promise<number> {
  if (flags.queues !== undefined) return flags.queues;
  const { link, dryRun } = options;
  let transmit: readonly number[] = [];
  if (!dryRun && override === 0) {
    const { linkQueues } = await import("../../../shaper/libreqos/queues.ts");
    transmit = linkQueues([...new Set([link.lan, link.internet])], flags.netns);
  }
  const sources: QueueSources = { transmit, processors: cpus().length, override, dryRun };
  const queues = countQueues(sources);
  if (queues !== undefined) return queues;
  const found = `${override > 0 ? override : transmit.join(" and ")} queues and ${sources.processors} processors`;
  throw sluiceError("LIBREQOS_QUEUES", { found });
}

/** What the other check of LibreQoS would say, as a warning. */
function rustWarnings({ devices }: LibreqosFiles): Problem[] {
  const refusal = validateRust(devices.text);
  if (!refusal) return [];
  const { reason, remedy, where } = rustExplanation(refusal, devices.file);
  return [problem("LIBREQOS_WARNING", { reason, remedy, text: refusal.text }, where)];
}

async function exportShaper(this: CliContext, flags: ExportFlags): Promise<void> {
  const outputs = outputsOf(flags);
  const source = await readSource(flags);
  const settings = { ...source.options, queuesAvailable: await findQueues(flags, source) };
  const least = settings.link.onAStick ? 2 : 1;
  if (settings.queuesAvailable < least) throw usage(`--queues is ${settings.queuesAvailable}, wanted ${least} or more`);
  const { built, problems } = buildLibreqos(source.files, settings, { rust: flags.strict ? "ask" : "assume" });
  if (!built) throw new SluiceError(problems);
  const warnings = [...problems, ...(flags.strict ? [] : rustWarnings(source.files))];
  for (const { path, text } of outputs) {
    if (path === "") this.process.stdout.write(text(built));
    else writeFileSync(path, text(built));
  }
  if (flags.json) {
    const written = outputs.map(({ path }) => path);
    return answerJson(this, "shaper-export", { lines: built.commands.length, written, warnings });
  }
  for (const line of warningLines(warnings)) note(this, line);
  return undefined;
}

/** Runs the command. */
export default reporting(exportShaper);
