/** Sluice's side of a migration: its configuration and its tree, as far as the files can be taken. */
import type { Problem } from "../../../core/errors.ts";
import { parseConfig } from "../../config.ts";
import type { Circuit, Isp, ShaperConfig } from "../../model.ts";
import { type DeviceList, parseDevices } from "../../sources/devices.ts";
import { joinIsp } from "../../sources/isp.ts";
import { type Network, parseNetwork } from "../../sources/network.ts";
import { buildTree, type Tree } from "../../tree.ts";
import type { LibreqosFiles } from "../build.ts";
import type { LqosConf } from "../lqos-conf.ts";
import { writeToml } from "./toml.ts";

/** What a migration begins with. */
export interface MigrationInput {
  readonly conf: LqosConf;
  /** How the `lqos.conf` is called. */
  readonly from: string;
  readonly files: LibreqosFiles;
}

/** Sluice's side. */
export interface Own {
  /** Text of the `sluice.toml`. */
  readonly toml: string;
  /** Absent when it cannot be used. */
  readonly config?: ShaperConfig;
  /**
   * For comparing; absent without configuration. Where the files have errors, it is the tree of what is left without the
   * circuits that are wrong.
   */
  readonly tree?: Tree;
  /** Of files and tree. */
  readonly problems: readonly Problem[];
}

const CONFIG = "/etc/sluice/sluice.toml";

/** A circuit where it can hang; nothing for one that is wrong. */
function attach(circuit: Circuit, { names }: Network): Circuit[] {
  if (circuit.id === "" || circuit.max.download === 0 || circuit.max.upload === 0) return [];
  if (circuit.parent === undefined) return [circuit];
  const named = names?.get(circuit.parent);
  if (!named) return [];
  if (!named.virtual) return [circuit];
  const { parent: _, ...orphan } = circuit;
  return [named.attach === undefined ? orphan : { ...orphan, parent: named.attach }];
}

/** What can be used of files with errors. */
const usable = (network: Network, devices: DeviceList): Isp => ({
  nodes: network.nodes,
  circuits: devices.circuits.flatMap((circuit) => attach(circuit, network)),
});

/** Builds it; with minimums scaled where they do not fit. */
export function buildOwn({ conf, from, files }: MigrationInput): Own {
  const paths = { network: files.network.file, devices: files.devices.file };
  const network = parseNetwork(files.network.text, paths.network);
  const devices = parseDevices(files.devices.text, paths.devices);
  const joined = joinIsp(network, devices, paths);
  const isp = joined.isp ?? usable(network, devices);
  const build = (scale: boolean): Own => {
    const toml = writeToml({ conf, from, ...paths, scale });
    const { config, problems } = parseConfig(toml, CONFIG);
    if (!config) return { toml, problems: [...problems, ...joined.problems] };
    const { tree, problems: treeProblems } = buildTree(isp, config);
    return { toml, config, tree, problems: [...problems, ...joined.problems, ...treeProblems] };
  };
  const strict = build(false);
  return strict.problems.some(({ code }) => code === "SHAPER_MINIMUMS_OVERSUBSCRIBED") ? build(true) : strict;
}
