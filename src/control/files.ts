/** The files of a configuration: `sluice.toml` and the two that its `[shaper]` names, read from the disk or kept. */
import type { AutorateConfig } from "../autorate/config.ts";
import { readAutorate } from "../autorate/settings/read.ts";
import { type ConfigDocument, parseDocument } from "../core/config-table.ts";
import { type Problem, SluiceError, sortProblems } from "../core/errors.ts";
import { readText } from "../linux/text-file.ts";
import { readRelay, type RelayConfig } from "../relay/settings.ts";
import { parseConfig } from "../shaper/config.ts";
import type { LibreqosFiles } from "../shaper/libreqos/build.ts";
import { readUtf8 } from "../shaper/libreqos/read.ts";
import type { Isp, ShaperConfig } from "../shaper/model.ts";
import { parseIsp, type ReadFile } from "../shaper/sources/isp.ts";
import { checkSites } from "./autorate/sites.ts";
import { readSettings, type Settings } from "./settings.ts";

/** The content of the data files, read as the dialect reads them. */
export type Source =
  | { readonly dialect: "sluice"; readonly isp: Isp }
  | { readonly dialect: "libreqos"; readonly files: LibreqosFiles };

/** What the shaper is asked for: its configuration and its files, without a single error. */
export interface Inputs {
  readonly config: ShaperConfig;
  readonly source: Source;
  readonly warnings: readonly Problem[];
}

/** What a file is for. */
export type Role = "sluice.toml" | "network" | "devices";

/** A file with its content. */
export interface NamedFile {
  readonly role: Role;
  readonly path: string;
  readonly text: string;
}

/** A whole configuration, checked. */
export interface Configuration {
  readonly files: readonly NamedFile[];
  readonly settings: Settings;
  /** Absent when there is no `[shaper]`. */
  readonly inputs?: Inputs;
  /** Absent when there is no `[autorate]`. */
  readonly autorate?: AutorateConfig;
  /** Absent when there is no `[relay]`. */
  readonly relay?: RelayConfig;
  readonly warnings: readonly Problem[];
}

/** Gives the content of a file, in the way that its reader wants it. */
export type FileReader = (path: string, role: Role, dialect: ShaperConfig["dialect"]) => ReadFile;

/** Reads from the disk. */
const fromDisk: FileReader = (path, role, dialect) => {
  if (role === "sluice.toml") return readText(path, "CONFIG_UNREADABLE");
  return dialect === "libreqos" ? readUtf8(path) : readText(path, "FILE_UNREADABLE");
};

/** Reads what was kept. */
export const fromKept =
  (files: readonly NamedFile[]): FileReader =>
  (path, role) =>
    files.find((file) => file.role === role) ?? fromDisk(path, role, "sluice");

/** Throws when there is an error among them; every one of them is in the SluiceError. */
function refuseErrors(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === "error")) throw new SluiceError(problems);
}

const textOf = (file: ReadFile): string => ("text" in file ? file.text : "");

function sourceOf(
  config: ShaperConfig,
  network: ReadFile,
  devices: ReadFile,
): { readonly source: Source; readonly problems: readonly Problem[] } {
  if (config.dialect === "libreqos") {
    refuseErrors([network, devices].flatMap((file) => ("problem" in file ? [file.problem] : [])));
    const files = {
      network: { text: textOf(network), file: config.network },
      devices: { text: textOf(devices), file: config.devices },
    };
    return { source: { dialect: "libreqos", files }, problems: [] };
  }
  const { isp, problems } = parseIsp(network, devices, config);
  refuseErrors(problems);
  return { source: { dialect: "sluice", isp: isp! }, problems };
}

/** Reads the two files of a `[shaper]`. @throws SluiceError with all of their problems */
function readSource(
  config: ShaperConfig,
  read: FileReader,
): { source: Source; files: NamedFile[]; problems: readonly Problem[] } {
  const network = read(config.network, "network", config.dialect);
  const devices = read(config.devices, "devices", config.dialect);
  const files: NamedFile[] = [
    { role: "network", path: config.network, text: textOf(network) },
    { role: "devices", path: config.devices, text: textOf(devices) },
  ];
  return { ...sourceOf(config, network, devices), files };
}

/** The tables that are about something else than the shaper, with every problem in them. */
function readOthers(document: ConfigDocument): {
  readonly settings: Settings;
  readonly autorate?: AutorateConfig;
  readonly relay?: RelayConfig;
  readonly problems: readonly Problem[];
} {
  const { settings, problems } = readSettings(document);
  const { config: autorate, problems: links } = readAutorate(document);
  const { config: relay, problems: rules } = readRelay(document);
  const all = [...problems, ...links, ...rules];
  return { settings, ...(autorate && { autorate }), ...(relay && { relay }), problems: all };
}

/** What `[autorate]` says that does not go with the shaper of the same file; without one when that is left out. */
function siteProblems(
  { at }: Pick<ConfigDocument, "at">,
  autorate: AutorateConfig | undefined,
  config?: ShaperConfig,
  source?: Source,
): Problem[] {
  if (!autorate) return [];
  const isp = source?.dialect === "sluice" ? source.isp : undefined;
  return checkSites(autorate, config && { config, ...(isp && { isp }) }, at);
}

/** Reads a whole configuration. @throws SluiceError with all problems of all files */
export function readConfiguration(path: string, read: FileReader = fromDisk): Configuration {
  const file = read(path, "sluice.toml", "sluice");
  if ("problem" in file) throw new SluiceError([file.problem]);
  const own: NamedFile = { role: "sluice.toml", path, text: file.text };
  const document = parseDocument(file.text, path);
  if ("problem" in document) throw new SluiceError([document.problem]);
  const { problems, ...others } = readOthers(document);
  if (document.values["shaper"] === undefined) {
    const sites = siteProblems(document, others.autorate);
    const all = sortProblems([...document.problems, ...problems, ...sites], [path]);
    refuseErrors(all);
    return { files: [own], ...others, warnings: all };
  }
  const { config, problems: shaper } = parseConfig(file.text, path);
  const all = sortProblems([...shaper, ...problems], [path]);
  refuseErrors(all);
  const { source, files, problems: data } = readSource(config!, read);
  refuseErrors(siteProblems(document, others.autorate, config, source));
  const warnings = [...all, ...data];
  return { files: [own, ...files], ...others, inputs: { config: config!, source, warnings }, warnings };
}

/** Reads the `[shaper]` of a file and nothing else. @throws SluiceError with all of its problems */
export function readShaperConfig(path: string): {
  readonly config: ShaperConfig;
  readonly warnings: readonly Problem[];
  /** Of the same file; absent when there is no `[autorate]`. */
  readonly autorate?: AutorateConfig;
  /** Of the same file; absent when there is no `[relay]`. */
  readonly relay?: RelayConfig;
  /** What it says of `[autorate]` beside it, given the shaper's files. */
  readonly sites: (source: Source) => readonly Problem[];
} {
  const file = fromDisk(path, "sluice.toml", "sluice");
  if ("problem" in file) throw new SluiceError([file.problem]);
  const { config, problems } = parseConfig(file.text, path);
  const document = parseDocument(file.text, path);
  if ("problem" in document) throw new SluiceError(problems);
  const others = readOthers(document);
  const all = sortProblems([...problems, ...others.problems], [path]);
  refuseErrors(all);
  const sites = (source: Source): Problem[] => siteProblems(document, others.autorate, config, source);
  const { autorate, relay } = others;
  return { config: config!, warnings: all, ...(autorate && { autorate }), ...(relay && { relay }), sites };
}

/** What the shaper needs, and what is asked for beside it. */
export interface Checkable {
  /** Absent when there are links or rules only. */
  readonly inputs?: Inputs;
  readonly autorate?: AutorateConfig;
  readonly relay?: RelayConfig;
  readonly warnings: readonly Problem[];
}

/** Reads all that is to be held: a `[shaper]` with its files, links, and rules of the relay. @throws SluiceError with all problems of all files */
export function readCheckable(path: string): Checkable {
  const file = fromDisk(path, "sluice.toml", "sluice");
  const document = "text" in file ? parseDocument(file.text, path) : undefined;
  const values = document && "values" in document ? document.values : {};
  const others = values["autorate"] !== undefined || values["relay"] !== undefined;
  if (others && values["shaper"] === undefined) return readConfiguration(path);
  const shaped = readShaped(path);
  return { ...shaped, warnings: shaped.inputs.warnings };
}

/** Reads a `[shaper]` with its files, and what is beside it. */
function readShaped(path: string): Pick<Checkable, "autorate" | "relay"> & { readonly inputs: Inputs } {
  const { config, warnings, autorate, relay, sites } = readShaperConfig(path);
  const { source, problems } = readSource(config, fromDisk);
  refuseErrors(sites(source));
  const inputs = { config, source, warnings: [...warnings, ...problems] };
  return { inputs, ...(autorate && { autorate }), ...(relay && { relay }) };
}

/** Reads what the shaper needs. @throws SluiceError with all problems of all files */
export const readInputs = (path: string): Inputs => readShaped(path).inputs;
