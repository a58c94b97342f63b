/** What LibreQoS would do with the same files. Needs no rights, and with a number of queues no interfaces. */
import { cpus } from "node:os";
import type { Output } from "../../api/routes.ts";
import { type Problem, problem, SluiceError, sluiceError } from "../../core/errors.ts";
import { buildLibreqos, type LibreqosFiles } from "../../shaper/libreqos/build.ts";
import { optionsFromConfig } from "../../shaper/libreqos/from-config.ts";
import { batchText } from "../../shaper/libreqos/lines.ts";
import { mapAddresses, mappingLine } from "../../shaper/libreqos/mappings.ts";
import { dataPaths, readLibreqosFiles, readLqosConf } from "../../shaper/libreqos/read.ts";
import { rustExplanation, validateRust } from "../../shaper/libreqos/rust/validate.ts";
import {
  countQueues,
  type LibreqosOptions,
  type LibreqosSettings,
  type QueueSources,
} from "../../shaper/libreqos/settings.ts";
import { structureText } from "../../shaper/libreqos/structure.ts";
import type { ShaperConfig } from "../../shaper/model.ts";

const usage = (reason: string): SluiceError => sluiceError("USAGE", { reason, command: "sluice shaper export" });

/** Settings and files, by either configuration. */
export interface ExportSource {
  readonly options: LibreqosOptions;
  readonly files: LibreqosFiles;
  readonly override: number;
}

/** By a `sluice.toml`. @throws SluiceError */
export function exportSource(config: ShaperConfig): ExportSource {
  const options = optionsFromConfig(config);
  if (!options) throw usage(`LibreQoS has no leaf such as shaper.leaf = "${config.leaf.kind}"`);
  return { options, files: readLibreqosFiles(config), override: config.queues ?? 0 };
}

/** By LibreQoS's own configuration; `from` is another folder for its data files. @throws SluiceError */
export function lqosSource(conf: string, from?: string): ExportSource {
  const read = readLqosConf(conf);
  return { options: read.options, files: readLibreqosFiles(dataPaths(read, from)), override: read.override };
}

/** Counts the queues that LibreQoS would find here. @throws SluiceError LIBREQOS_QUEUES */
export async function libreqosSettings(
  { options, override }: Pick<ExportSource, "options" | "override">,
  netns?: string,
): Promise<LibreqosSettings> {
  const { link, dryRun } = options;
  let transmit: readonly number[] = [];
  if (!dryRun && override === 0) {
    const { linkQueues } = await import("../../shaper/libreqos/queues.ts");
    transmit = linkQueues([...new Set([link.lan, link.internet])], netns);
  }
  const sources: QueueSources = { transmit, processors: cpus().length, override, dryRun };
  const queuesAvailable = countQueues(sources);
  if (queuesAvailable !== undefined) return { ...options, queuesAvailable };
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

/** How to export. */
export interface ExportOptions {
  /** Queues found, instead of asking the interfaces. */
  readonly queues?: number;
  /** Refuse what LibreQoS's Rust side would refuse too. */
  readonly strict: boolean;
  readonly netns?: string;
}

/** Builds what LibreQoS would write. @throws SluiceError with everything that it would stop at */
export async function exportLibreqos(
  source: ExportSource,
  { queues, strict, netns }: ExportOptions,
): Promise<Output<"shaper.export">> {
  const settings =
    queues === undefined ? await libreqosSettings(source, netns) : { ...source.options, queuesAvailable: queues };
  const least = settings.link.onAStick ? 2 : 1;
  if (settings.queuesAvailable < least) throw usage(`--queues is ${settings.queuesAvailable}, wanted ${least} or more`);
  const { built, problems } = buildLibreqos(source.files, settings, { rust: strict ? "ask" : "assume" });
  if (!built) throw new SluiceError(problems);
  return {
    schema: "sluice/shaper-export/1",
    lines: built.commands.length,
    tc: batchText(built.commands),
    queuingStructure: structureText(built),
    ipMappings: mapAddresses(built)
      .map((mapping) => `${mappingLine(mapping)}\n`)
      .join(""),
    warnings: [...problems, ...(strict ? [] : rustWarnings(source.files))],
  };
}
