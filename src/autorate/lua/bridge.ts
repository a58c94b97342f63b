/**
 * The bridge between the nouns of autorate and Lua's tables, for controllers and plugins alike. Pure. Field names are those
 * of sqm-autorate, with those of sqm-autorate-rust as aliases: "rx" and "dl" are the download, "tx" and "ul" the upload.
 */
import type { Both } from "../../core/both.ts";
import { deltaStatistic } from "../controllers/ewma.ts";
import type { Decision, TickInput } from "../model.ts";
import type { LuaFields, LuaScalar, LuaTable } from "./messages.ts";

/** What a plugin is told: rates in kbit/s, delays in ms. */
export interface PluginReadings {
  /** Whole seconds since the start. */
  readonly now_s: number;
  /** Share of the rate that was used. */
  readonly tx_load: number;
  readonly rx_load: number;
  /** The delta that counts: the third lowest, or the lowest of fewer. */
  readonly up_del_stat: number;
  readonly down_del_stat: number;
  readonly up_utilisation: number;
  readonly down_utilisation: number;
  readonly cur_ul_rate: number;
  readonly cur_dl_rate: number;
  /** What the controller wants, before rounding and bounds. */
  readonly next_ul_rate: number;
  readonly next_dl_rate: number;
  /** Thresholds as they are now. A script finds these two by name only: going through its readings gives the others. */
  readonly ul_max_delta_owd: number;
  readonly dl_max_delta_owd: number;
}

/** What a script sees of a tick beside its input. */
interface ControllerContext {
  /** When it started, s. */
  readonly start: number;
  /** Bytes at the last tick. */
  readonly previous: Both<number>;
  readonly highLoad: number | undefined;
  readonly histsize: number | undefined;
}

/** The argument of a controller's `calculate`, but for `settings`, which its thread adds. */
export function controllerData(input: TickInput, context: ControllerContext): LuaTable {
  const { download, upload } = input.directions;
  return {
    now_s: input.now - context.start,
    elapsed_s: input.elapsed,
    elapsed_secs: input.elapsed,
    tick: input.tick,
    down_del: download.deltas,
    up_del: upload.deltas,
    dl_deltas: download.deltas,
    ul_deltas: upload.deltas,
    down_del_stat: deltaStatistic(download.deltas),
    up_del_stat: deltaStatistic(upload.deltas),
    cur_dl_rate: download.rate,
    cur_ul_rate: upload.rate,
    current_dl_rate: download.rate,
    current_ul_rate: upload.rate,
    down_utilisation: download.achieved,
    up_utilisation: upload.achieved,
    dl_utilisation: download.achieved,
    ul_utilisation: upload.achieved,
    rx_load: download.load,
    tx_load: upload.load,
    rx_bytes: download.bytes,
    tx_bytes: upload.bytes,
    prev_rx_bytes: context.previous.download,
    prev_tx_bytes: context.previous.upload,
    base_dl_rate: download.bounds.base,
    base_ul_rate: upload.bounds.base,
    min_dl_rate: download.bounds.min,
    min_ul_rate: upload.bounds.min,
    max_dl_rate: download.bounds.max,
    max_ul_rate: upload.bounds.max,
    dl_max_delta_owd: download.threshold,
    ul_max_delta_owd: upload.threshold,
    high_load_level: context.highLoad,
    histsize: context.histsize,
  };
}

/** What a controller wants. */
export interface Wanted {
  /** Finite, kbit/s. */
  readonly rates: Both<number>;
  readonly reselect: boolean;
}

/** What a value is, in words. */
export const describe = (value: LuaScalar | undefined): string => {
  if (value === undefined) return "nil";
  if (typeof value === "object") return `a ${value.type}`;
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : String(value);
};

/** Reads what a controller returned: both rates, or what is wrong. */
export function readWanted(fields: LuaFields): Wanted | { readonly reason: string } {
  const rate = (name: string, alias: string): number | string => {
    const value = fields[name] ?? fields[alias];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    return `${fields[name] === undefined && value !== undefined ? alias : name} is ${describe(value)}, wanted a finite number`;
  };
  const download = rate("next_dl_rate", "dl_rate");
  const upload = rate("next_ul_rate", "ul_rate");
  if (typeof download === "string") return { reason: download };
  if (typeof upload === "string") return { reason: upload };
  return { rates: { download, upload }, reselect: (fields["reselect"] ?? fields["trigger_reselect"]) === true };
}

/**
 * What plugins are told of a tick; undefined when a direction has no data, which is when they are not asked.
 *
 * @param start when the runner started, s of the clock of `input`
 */
export function readingsOf(input: TickInput, decision: Decision, start: number): PluginReadings | undefined {
  const { download, upload } = input.directions;
  const down = deltaStatistic(download.deltas);
  const up = deltaStatistic(upload.deltas);
  if (down === undefined || up === undefined) return undefined;
  return {
    now_s: Math.floor(input.now - start),
    tx_load: upload.load,
    rx_load: download.load,
    up_del_stat: up,
    down_del_stat: down,
    up_utilisation: upload.achieved,
    down_utilisation: download.achieved,
    cur_ul_rate: upload.rate,
    cur_dl_rate: download.rate,
    next_ul_rate: decision.upload.rate,
    next_dl_rate: decision.download.rate,
    ul_max_delta_owd: upload.threshold,
    dl_max_delta_owd: download.threshold,
  };
}

/** The argument of a plugin's `process`: what going through it gives, and what is found by name only. */
export function readingsTable(readings: PluginReadings): { readonly data: LuaTable; readonly hidden: LuaTable } {
  const { ul_max_delta_owd, dl_max_delta_owd, ...data } = readings;
  return { data, hidden: { ul_max_delta_owd, dl_max_delta_owd } };
}
