/** `sluice.toml`: the `[shaper]` table, checked whole, with every problem at once. */
import { dirname, resolve } from "node:path";
import { type Location, type Problem, problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { bitsPerSecond } from "../core/units.ts";
import {
  integer,
  interfaceName,
  leaf,
  oneOf,
  rate,
  rateOrOff,
  type ReadValue,
  filePath,
  Refusal,
} from "./sources/config-values.ts";
import { readText, sortProblems } from "./sources/files.ts";
import { keyPositions } from "./sources/toml-lines.ts";
import { parseToml } from "./sources/toml.ts";
import type { Link, ShaperConfig } from "./model.ts";

/** What {@link parseConfig} found. */
export interface ConfigResult {
  /** Absent when any problem is an error. */
  readonly config?: ShaperConfig;
  readonly problems: readonly Problem[];
}

const TABLES: readonly string[] = ["shaper"];

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

/** The table being read; collects what is wrong with it. */
class Table {
  readonly problems: Problem[] = [];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #at: (path: string) => Location;

  constructor(values: Readonly<Record<string, unknown>>, at: (path: string) => Location) {
    this.#values = values;
    this.#at = at;
    for (const key of Object.keys(values)) {
      if (Object.hasOwn(SHAPER_KEYS, key)) continue;
      const path = `shaper.${key}`;
      const hint = didYouMean(key, Object.keys(SHAPER_KEYS));
      this.problems.push(problem("CONFIG_KEY_UNKNOWN", { path, hint }, at(path)));
    }
  }

  has(key: Key): boolean {
    return Object.hasOwn(this.#values, key);
  }

  refuse(key: Key, reason: string): undefined {
    const path = `shaper.${key}`;
    this.problems.push(problem("CONFIG_VALUE", { path, reason }, this.#at(path)));
  }

  missing(key: Key): undefined {
    const params = { path: `shaper.${key}`, example: `${key} = ${SHAPER_KEYS[key]}` };
    this.problems.push(problem("CONFIG_MISSING", params, this.#at("shaper")));
  }

  /** The value, or undefined when it is not there or not usable (then noted). */
  optional<T>(key: Key, read: ReadValue<T>): T | undefined {
    if (!this.has(key)) return undefined;
    const value = read(this.#values[key]);
    return value instanceof Refusal ? this.refuse(key, value.reason) : value;
  }

  /** The value; its absence is noted too. */
  required<T>(key: Key, read: ReadValue<T>): T | undefined {
    return this.has(key) ? this.optional(key, read) : this.missing(key);
  }
}

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
 * Reads the text of a `sluice.toml`. Paths in it are relative to its folder; the result has them absolute.
 *
 * @param file path of the file, for problems and for what is relative to it
 */
export function parseConfig(toml: string, file: string): ConfigResult {
  const parsed = parseToml(toml, file);
  if ("problem" in parsed) return { problems: [parsed.problem] };
  const { values } = parsed;
  const positions = keyPositions(toml);
  const at = (path: string): Location => ({
    file,
    ...(positions.get(path) ?? positions.get(path.split(".")[0]!) ?? { line: 1, column: 1 }),
  });
  const problems = Object.keys(values).flatMap((key) => {
    if (TABLES.includes(key)) return [];
    const hint = Object.hasOwn(SHAPER_KEYS, key) ? `; it belongs below [shaper]` : didYouMean(key, TABLES);
    return [problem("CONFIG_KEY_UNKNOWN", { path: key, hint }, at(key))];
  });
  const { shaper } = values;
  if (typeof shaper !== "object" || shaper === null || Array.isArray(shaper) || shaper instanceof Date) {
    const reason = "it is no table; write [shaper] on a line of its own";
    const example = "a line [shaper] with its keys below";
    problems.push(
      shaper === undefined
        ? problem("CONFIG_MISSING", { path: "table [shaper]", example }, { file })
        : problem("CONFIG_VALUE", { path: "shaper", reason }, at("shaper")),
    );
    return { problems: sortProblems(problems, [file]) };
  }
  const table = new Table(shaper as Record<string, unknown>, at);
  const config = readShaper(table, dirname(resolve(file)));
  const all = sortProblems([...problems, ...table.problems], [file]);
  const usable = config && !all.some(({ severity }) => severity === "error");
  return { ...(usable && { config }), problems: all };
}

/** Reads and checks a `sluice.toml`. Never throws for what is in it, or when it is not there. */
export function readConfig(file: string): ConfigResult {
  const read = readText(file, "CONFIG_UNREADABLE");
  return "text" in read ? parseConfig(read.text, file) : { problems: [read.problem] };
}
