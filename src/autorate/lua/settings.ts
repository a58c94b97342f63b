/** What scripts know as their settings: the names of sqm-autorate, with what the configuration says of a link. */
import type { LinkConfig, Options, TargetSpec } from "../config.ts";
import type { Setup } from "../model.ts";
import type { LuaTable } from "./messages.ts";

/** Rates in kbit/s, delays in ms, times in s unless said otherwise. */
export interface PluginSettings {
  /** The link. */
  readonly name?: string;
  readonly dl_if?: string;
  readonly ul_if?: string;
  readonly base_dl_rate?: number;
  readonly base_ul_rate?: number;
  readonly min_dl_rate?: number;
  readonly min_ul_rate?: number;
  /** Infinity when there is none. */
  readonly max_dl_rate?: number;
  readonly max_ul_rate?: number;
  /** As configured; readings tell what they are now. */
  readonly dl_max_delta_owd?: number;
  readonly ul_max_delta_owd?: number;
  readonly high_load_level?: number;
  /** Safe rates that `ewma` remembers. */
  readonly histsize?: number;
  readonly tick_duration?: number;
  readonly min_change_interval?: number;
  readonly num_reflectors?: number;
  /** Minutes. */
  readonly peer_reselection_time?: number;
  readonly reflector_type?: string;
  readonly rate_controller?: string;
  readonly output_statistics?: boolean;
  readonly stats_file?: string;
  readonly speedhist_file?: string;
  /** One of `FATAL` to `TRACE`: what `util.logger` lets through; `INFO` when left out. */
  readonly log_level?: string;
  /** What `settings.plugin(name)` gives, by that name. */
  readonly sections: Readonly<Record<string, Options>>;
}

const HISTORY = 100;

/** Where a direction is shaped: an interface, or the name of a site. */
const shaped = (target: TargetSpec | undefined): string | undefined =>
  target?.kind === "site" ? target.name : target?.device;

/** Those of a link. */
export function luaSettings(link: LinkConfig, { bounds, period }: Setup): PluginSettings {
  const { options, probe, directions, statsFile, speedHistoryFile } = link;
  const all = {
    name: link.name,
    dl_if: shaped(directions.download?.target),
    ul_if: shaped(directions.upload?.target),
    base_dl_rate: bounds.download.base,
    base_ul_rate: bounds.upload.base,
    min_dl_rate: bounds.download.min,
    min_ul_rate: bounds.upload.min,
    max_dl_rate: bounds.download.max,
    max_ul_rate: bounds.upload.max,
    dl_max_delta_owd: directions.download?.threshold,
    ul_max_delta_owd: directions.upload?.threshold,
    high_load_level: link.highLoad,
    histsize: [options["histsize"], options["speed_hist_size"], HISTORY].find((value) => typeof value === "number"),
    tick_duration: probe.interval,
    min_change_interval: period,
    num_reflectors: probe.reflectors,
    peer_reselection_time: probe.reselect / 60,
    reflector_type: "icmp",
    rate_controller: link.controller,
    output_statistics: statsFile !== undefined,
    stats_file: statsFile,
    speedhist_file: speedHistoryFile,
    sections: link.pluginSettings,
  };
  // What is not known is left out, which is nil in Lua.
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as PluginSettings;
}

/** The settings as a table of Lua, and the sections apart. */
export function settingsTable(settings: PluginSettings): { readonly fields: LuaTable; readonly sections: LuaTable } {
  const { sections, ...fields } = settings;
  return { fields, sections };
}
