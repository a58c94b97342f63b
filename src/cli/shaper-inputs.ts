/** What the shaper's commands begin with: the configuration and the files it names, without a single error. */
import { type Problem, SluiceError } from "../core/errors.ts";
import { pathsBelow } from "../linux/paths.ts";
import type { CliContext } from "./context.ts";
import type { LibreqosFiles } from "../shaper/libreqos/build.ts";
import type { Isp, ShaperConfig } from "../shaper/model.ts";
import type { ShaperPlace } from "../shaper/shaper.ts";

/** The flag that names the configuration. */
export interface ConfigFlags {
  readonly config?: string;
}

/** Flags that say where to work. */
export interface PlaceFlags extends ConfigFlags {
  readonly netns?: string;
}

/** The content of the files, read as the dialect reads them. */
export type Source =
  | { readonly dialect: "sluice"; readonly isp: Isp }
  | { readonly dialect: "libreqos"; readonly files: LibreqosFiles };

/** Files, read and checked. */
export interface Inputs {
  readonly config: ShaperConfig;
  readonly source: Source;
  readonly warnings: readonly Problem[];
}

/** Throws when there is an error among them; every one of them is in the SluiceError. */
function refuseErrors(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === "error")) throw new SluiceError(problems);
}

/** Reads the configuration. @throws SluiceError with all of its problems */
export async function readShaperConfig(
  flags: ConfigFlags,
): Promise<{ config: ShaperConfig; warnings: readonly Problem[] }> {
  const { readConfig } = await import("../shaper/config.ts");
  const { config, problems } = readConfig(flags.config ?? pathsBelow().config);
  refuseErrors(problems);
  return { config: config!, warnings: problems };
}

/** Reads the configuration and the ISP's files. @throws SluiceError with all problems of all files */
export async function readInputs(flags: ConfigFlags): Promise<Inputs> {
  const { config, warnings } = await readShaperConfig(flags);
  if (config.dialect === "libreqos") {
    const { readLibreqosFiles } = await import("../shaper/libreqos/read.ts");
    return { config, source: { dialect: "libreqos", files: readLibreqosFiles(config) }, warnings };
  }
  const { readIsp } = await import("../shaper/sources/isp.ts");
  const { isp, problems } = readIsp(config);
  refuseErrors(problems);
  return { config, source: { dialect: "sluice", isp: isp! }, warnings: [...warnings, ...problems] };
}

/** Where the flags say to work; the classifier goes on the dispatcher. */
export async function placeOf(context: CliContext, flags: PlaceFlags): Promise<ShaperPlace> {
  const { openEgress } = await import("../dispatcher/egress-host.ts");
  const netns = flags.netns === undefined ? {} : { netns: flags.netns };
  const place = { paths: pathsBelow(), clock: context.clock, owner: "sluice-shaper", ...netns };
  return { paths: place.paths, ...netns, egress: () => openEgress(place) };
}
