/** `sluice.toml`: the `[shaper]` table, checked whole, with every problem at once. */
import { dirname, resolve } from "node:path";
import { type ConfigTable, parseDocument, tableOf } from "../core/config-table.ts";
import { filePath, integer, interfaceName, oneOf } from "../core/config-values.ts";
import { type Problem, problem, sortProblems } from "../core/errors.ts";
import { bitsPerSecond } from "../core/units.ts";
import { readText } from "../linux/text-file.ts";
import type { Link, ShaperConfig } from "./model.ts";
import { leaf, rate, rateOrOff } from "./sources/config-values.ts";

/** What {@link parseConfig} found. */
export interface ConfigResult {
  /** Absent when any problem is an error. */
  readonly config?: ShaperConfig;
  readonly problems: readonly Problem[];
}

/** Every key of `[shaper]` with an example, in the order of docs/configuration.md. */
export const SHAPER_KEYS = {
  network: '"network.json"',
  devices: '"ShapedDevices.csv"',
  lan: '"eth1"',
  internet: '"eth0"',
  interface: '"eth0"',
  lan_vlan: "2",
  internet_vlan: "3",
  download: '"1gbit"',
  upload: '"500mbit"',
  mode: '"shape"',
  leaf: '"auto"',
  fast_rate: '"1gbit"',
  minimums: '"strict"',
  unknown_download: '"50mbit"',
  unknown_upload: '"10mbit"',
  queues: "16",
  dialect: '"sluice"',
} as const satisfies Readonly<Record<string, string>>;

type Key = keyof typeof SHAPER_KEYS;
/** `[shaper]` being read. */
type Table = ConfigTable<typeof SHAPER_KEYS>;

const BRIDGE: readonly Key[] = ["lan", "internet"];
const STICK: readonly Key[] = ["interface", "lan_vlan", "internet_vlan"];

function readLink(table: Table): Link | undefined {
  const stick = STICK.filter((key) => table.has(key));
  if (stick.length === 0) return readBridge(table);
  const mixed = BRIDGE.filter((key) => table.has(key));
  for (const key of mixed) table.refuse(key, `it is for two interfaces, and shaper.${stick[0]} is for one`);
  const vlan = integer(1, 4094);
  const device = table.required("interface", interfaceName);
  const lanVlan = table.required("lan_vlan", vlan);
  const internetVlan = table.required("internet_vlan", vlan);
  if (lanVlan !== undefined && lanVlan === internetVlan) {
    return table.refuse("internet_vlan", `it is ${internetVlan} as shaper.lan_vlan is, wanted another VLAN`);
  }
  if (mixed.length > 0 || device === undefined || lanVlan === undefined || internetVlan === undefined) return undefined;
  return { kind: "stick", interface: device, lanVlan, internetVlan };
}

function readBridge(table: Table): Link | undefined {
  const lan = table.required("lan", interfaceName);
  const internet = table.required("internet", interfaceName);
  if (lan === undefined || internet === undefined) return undefined;
  if (lan !== internet) return { kind: "bridge", lan, internet };
  return table.refuse(
    "internet",
    `it is "${lan}" as shaper.lan is; for one interface set interface, lan_vlan, internet_vlan`,
  );
}

const UNKNOWN: readonly Key[] = ["unknown_download", "unknown_upload"];

/** The cap of unknown hosts: both directions or none. */
function readUnknown(table: Table): ShaperConfig["unknownRate"] {
  const download = table.optional("unknown_download", rate);
  const upload = table.optional("unknown_upload", rate);
  for (const [key, other] of [UNKNOWN, UNKNOWN.toReversed()] as [Key, Key][]) {
    if (table.has(key) && !table.has(other)) table.refuse(key, `it needs shaper.${other} beside it`);
  }
  return download !== undefined && upload !== undefined ? { download, upload } : undefined;
}

function readShaper(table: Table, directory: string): ShaperConfig | undefined {
  const network = table.required("network", filePath);
  const devices = table.required("devices", filePath);
  const link = readLink(table);
  const download = table.required("download", rate);
  const upload = table.required("upload", rate);
  const rest = {
    mode: table.optional("mode", oneOf("shape", "observe")) ?? "shape",
    leaf: table.optional("leaf", leaf) ?? { kind: "auto" },
    fastRate: table.optional("fast_rate", rateOrOff) ?? bitsPerSecond(1e9),
    minimums: table.optional("minimums", oneOf("strict", "scale")) ?? "strict",
  } as const;
  const unknownRate = readUnknown(table);
  const queues = table.optional("queues", integer(1, 1024));
  const dialect = table.optional("dialect", oneOf("sluice", "libreqos")) ?? "sluice";
  if (network === undefined || devices === undefined || !link || download === undefined || upload === undefined) {
    return undefined;
  }
  return {
    network: resolve(directory, network),
    devices: resolve(directory, devices),
    dialect,
    link,
    rate: { download, upload },
    ...rest,
    ...(unknownRate && { unknownRate }),
    ...(queues !== undefined && { queues }),
  };
}

/**
 * Reads `[shaper]` of a `sluice.toml`. Paths in it are relative to its folder; the result has them absolute.
 *
 * @param file path of the file, for problems and for what is relative to it
 */
export function parseConfig(toml: string, file: string): ConfigResult {
  const document = parseDocument(toml, file, (key) => (Object.hasOwn(SHAPER_KEYS, key) ? "shaper" : undefined));
  if ("problem" in document) return { problems: [document.problem] };
  const table = tableOf(document, "shaper", SHAPER_KEYS);
  if (!table || "problem" in table) {
    const example = "a line [shaper] with its keys below";
    const missing = table?.problem ?? problem("CONFIG_MISSING", { path: "table [shaper]", example }, { file });
    return { problems: sortProblems([...document.problems, missing], [file]) };
  }
  const config = readShaper(table, dirname(resolve(file)));
  const all = sortProblems([...document.problems, ...table.problems], [file]);
  const usable = config && !all.some(({ severity }) => severity === "error");
  return { ...(usable && { config }), problems: all };
}

/** Reads and checks a `sluice.toml`. Never throws for what is in it, or when it is not there. */
export function readConfig(file: string): ConfigResult {
  const read = readText(file, "CONFIG_UNREADABLE");
  return "text" in read ? parseConfig(read.text, file) : { problems: [read.problem] };
}
