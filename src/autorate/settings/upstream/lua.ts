/**
 * The settings of sqm-autorate (the program in Lua) as it works them out: UCI before the command line before the environment
 * before its defaults, with its clamps, its words for true, and the ways in which it ends. Field names are those of its
 * table of settings, which plugins are handed.
 */
import { luaVariable } from "../names.ts";
import type { Variables } from "./environment.ts";
import { flagsLayer, type LuaFlags } from "./flags.ts";
import { environmentLayer, firstOf, type Given, type Layer, uciLayer } from "./given.ts";
import { luaFloor, luaLimit, luaNumber } from "./lua-number.ts";
import { namesOf, upstreamRow } from "./rows.ts";
import type { UciFile } from "./uci.ts";

/** What there is to read. */
export interface LuaSources {
  /** Absent: a machine without UCI. */
  readonly uci?: { readonly file: string; readonly content: UciFile };
  readonly flags?: LuaFlags;
  readonly environment?: { readonly file?: string; readonly variables: Variables };
  /** Modules that `require` would find, besides the program's own. */
  readonly modules?: readonly string[];
}

/** The table of settings. Rates in kbit/s, delays in ms, times in s. */
export interface LuaSettings {
  readonly ul_if: string;
  readonly dl_if: string;
  readonly base_ul_rate: number;
  readonly base_dl_rate: number;
  readonly min_ul_rate: number;
  readonly min_dl_rate: number;
  readonly stats_file: string;
  readonly speedhist_file: string;
  readonly log_level: string;
  readonly output_statistics: boolean;
  readonly enable_verbose_baseline_output: boolean;
  readonly histsize: number;
  readonly ul_max_delta_owd: number;
  readonly dl_max_delta_owd: number;
  readonly high_load_level: number;
  readonly rate_controller: string;
  readonly reflector_type: "icmp";
  readonly tick_duration: number;
  readonly min_change_interval: number;
  readonly num_reflectors: number;
  /** Minutes. */
  readonly peer_reselection_time: number;
  readonly initial_peers: readonly string[];
  /** Name of the plugin, whether it is found or not. */
  readonly plugin_ratecontrol?: string;
}

/** Why the program does not start, or ends soon after. */
export interface LuaFault {
  readonly field: string;
  /** How it ends: what Lua says, or `EXIT 1`. */
  readonly fatal: string;
  /** Half a sentence for people. */
  readonly reason: string;
  readonly given?: Given;
}

/** What comes of it. */
export interface LuaResult {
  /** Absent when there is a fault. */
  readonly settings?: LuaSettings;
  /** All faults in the order in which the program would meet them; it ends at the first. */
  readonly faults: readonly LuaFault[];
  /** Lines of its log, up to where it ends. */
  readonly logs: readonly string[];
  /** What each setting was given; none for those that are defaults. */
  readonly given: ReadonlyMap<string, Given>;
}

const LEVELS = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
const INITIAL_PEERS = ["9.9.9.9", "8.238.120.14", "74.82.42.42", "194.242.2.2", "208.67.222.222", "94.140.14.14"];
const TRUE = /^(?:1|true|yes|y)$/i;

/** Reads settings one by one, and gathers what they were given and what is wrong. */
class Reader {
  readonly faults: LuaFault[] = [];
  readonly given = new Map<string, Given>();
  readonly layers: readonly Layer[];

  constructor({ uci, flags, environment }: LuaSources) {
    this.layers = [
      ...(uci ? [uciLayer(uci.content, uci.file)] : []),
      ...(flags ? [flagsLayer(flags)] : []),
      ...(environment ? [environmentLayer(environment.variables, luaVariable, environment.file)] : []),
    ];
    for (const name of namesOf("lua")) {
      const found = firstOf(this.layers, name);
      if (found) this.given.set(name.field, found);
    }
  }

  text(field: string): string | undefined {
    return this.given.get(field)?.text;
  }

  refuse(field: string, fatal: string, reason: string): void {
    const given = this.given.get(field);
    this.faults.push({ field, fatal, reason, ...(given && { given }) });
  }

  /** A number, or what Lua says where it needs one; the value then is of no account. */
  number(field: string, usual: number | undefined, nil: string): number {
    const text = this.text(field);
    const value = text === undefined ? usual : luaNumber(text);
    if (value !== undefined) return value;
    this.refuse(field, nil, text === undefined ? "it is set nowhere" : `it is "${text}", which is no number`);
    return Number.NaN;
  }
}

const NIL_FLOOR = "bad argument #1 to 'floor' (number expected, got nil)";
const NIL_LIMIT = "bad argument #1 to 'max' (number expected, got nil)";
const NIL_COMPARED = "attempt to compare number with nil";
const NO_INTERFACES =
  "FATAL: No interfaces found, please check the settings for 'upload_interface' and 'download_interface'";

function readMinimum(reader: Reader, direction: string, base: number): number {
  const field = `network.${direction}_min_percent`;
  if (reader.text(field) === undefined) return luaFloor(base / 5);
  return luaFloor((base * luaLimit(reader.number(field, undefined, NIL_LIMIT), 1, 80)) / 100);
}

/** What the words for true in any of the sources come to: one is enough. */
function readSuppressed(reader: Reader): boolean {
  const { name } = upstreamRow("output.suppress_statistics");
  const found = reader.layers.flatMap((layer) => layer(name) ?? []);
  const yes = found.find(({ text }) => TRUE.test(text));
  if (yes) reader.given.set(name.field, yes);
  return yes !== undefined;
}

function readInterfaces(reader: Reader): readonly [upload: string, download: string] {
  const names = ["network.upload_interface", "network.download_interface"] as const;
  for (const field of names) if (reader.text(field) === undefined) reader.refuse(field, "EXIT 1", "it is set nowhere");
  return [reader.text(names[0]) ?? "", reader.text(names[1]) ?? ""];
}

function readLevel(reader: Reader): string {
  const level = (reader.text("output.log_level") ?? "INFO").toUpperCase();
  if (!LEVELS.includes(level))
    reader.refuse(
      "output.log_level",
      "attempt to index upvalue 'use_loglevel' (a nil value)",
      `it is "${level}", wanted one of ${LEVELS.join(", ")}`,
    );
  return level;
}

/** In the order in which the program reads them. */
function readAll(reader: Reader): LuaSettings {
  const [upload, download] = readInterfaces(reader);
  const base = (direction: string): number =>
    luaFloor(reader.number(`network.${direction}_base_kbits`, undefined, NIL_FLOOR));
  const [baseUpload, baseDownload] = [base("upload"), base("download")];
  const minimums = [readMinimum(reader, "upload", baseUpload), readMinimum(reader, "download", baseDownload)] as const;
  const level = readLevel(reader);
  const advanced = (field: string, usual: number, nil: string): number =>
    reader.number(`advanced_settings.${field}`, usual, nil);
  const plugin = reader.text("plugins.ratecontrol");
  return {
    ul_if: upload,
    dl_if: download,
    base_ul_rate: baseUpload,
    base_dl_rate: baseDownload,
    min_ul_rate: minimums[0],
    min_dl_rate: minimums[1],
    stats_file: reader.text("output.stats_file") ?? "/tmp/sqm-autorate.csv",
    speedhist_file: reader.text("output.speed_hist_file") ?? "/tmp/sqm-speedhist.csv",
    log_level: level,
    histsize: luaFloor(advanced("speed_hist_size", 100, NIL_FLOOR)),
    ul_max_delta_owd: advanced("upload_delay_ms", 15, NIL_COMPARED),
    dl_max_delta_owd: advanced("download_delay_ms", 15, NIL_COMPARED),
    high_load_level: luaLimit(advanced("high_load_level", 0.8, NIL_LIMIT), 0.67, 0.95),
    output_statistics: !readSuppressed(reader),
    enable_verbose_baseline_output: level === "DEBUG" || level === "TRACE",
    rate_controller: reader.text("advanced_settings.rate_controller") ?? "ewma",
    reflector_type: "icmp",
    tick_duration: 0.5,
    min_change_interval: 0.5,
    num_reflectors: 5,
    peer_reselection_time: 15,
    initial_peers: INITIAL_PEERS,
    ...(plugin !== undefined && { plugin_ratecontrol: plugin }),
  };
}

/** Works out the settings. */
export function luaSettings(sources: LuaSources): LuaResult {
  const reader = new Reader(sources);
  const settings = readAll(reader);
  const { faults, given } = reader;
  const logs = sources.uci ? [] : ["WARN: did not find uci library"];
  const plugin = settings.plugin_ratecontrol;
  if (faults[0]?.fatal === "EXIT 1") logs.push(NO_INTERFACES);
  const speaks = LEVELS.indexOf(settings.log_level) >= LEVELS.indexOf("ERROR");
  if (faults.length === 0 && speaks && plugin !== undefined && !sources.modules?.includes(plugin))
    logs.push(`ERROR: Could not find configured plugin: ${plugin}`);
  return { ...(faults.length === 0 && { settings }), faults, logs, given };
}
