/**
 * The table of a link's keys, `[autorate.links.NAME]`: whatever is said of a key anywhere is made from its row. The checks of
 * `sluice.toml`, the documentation, and the import from other programs with all of their names.
 */
import { DIRECTIONS } from "../../core/both.ts";
import { REFLECTOR_SIDES } from "../config.ts";
import { PROBE_MODES } from "../model.ts";
import { CONTROLLER } from "./controller-name.ts";
import { directedKey, type Key } from "./key.ts";
import { BOTH_PROGRAMS } from "./names.ts";
import { TARGET } from "./target.ts";
import { ADDRESS, FLAG, INTERFACE, NODE, number, PATH, PATHS, RATE, whole, word, words } from "./value-type.ts";

/** Keys that each direction has. */
export const DIRECTION_KEYS = {
  interface: {
    name: "{direction}_interface",
    type: INTERFACE,
    example: '"{dl}0"',
    help: "whatever shapes {direction} here is set: its cake, else a tbf at the root, else the one class below an htb",
    upstream: {
      field: "network.{direction}_interface",
      programs: BOTH_PROGRAMS,
      flags: ["--{direction}-interface", "--{d}l"],
    },
    cake: "{dl}_if",
  },
  target: {
    name: "{direction}_target",
    type: TARGET,
    example: '"cake {dl}0"',
    help: "the shaper of {direction} by its kind and place, instead of `{direction}_interface`",
  },
  base: {
    name: "{direction}_base",
    type: RATE,
    usual: "required",
    example: '"50mbit"',
    help: "what the line is taken for in {direction} when nothing is known",
    upstream: {
      field: "network.{direction}_base_kbits",
      programs: BOTH_PROGRAMS,
      flags: ["--{direction}-base-kbits", "--{d}b"],
    },
    cake: "base_{dl}_shaper_rate_kbps",
  },
  min: {
    name: "{direction}_min",
    type: RATE,
    usual: "20 % of base",
    example: '"10mbit"',
    help: "{direction} is never set lower",
    upstream: { field: "network.{direction}_min_kbits", programs: ["rust"] },
    cake: "min_{dl}_shaper_rate_kbps",
  },
  minPercent: {
    name: "{direction}_min_percent",
    type: number(1, 100, "%"),
    example: "20",
    help: "the same as a share of `{direction}_base`, instead of `{direction}_min`",
    common: true,
    upstream: {
      field: "network.{direction}_min_percent",
      programs: BOTH_PROGRAMS,
      flags: ["--{direction}-min-percent", "--{d}p"],
    },
  },
  max: {
    name: "{direction}_max",
    type: RATE,
    usual: "none",
    example: '"80mbit"',
    help: "{direction} is never set higher",
    cake: "max_{dl}_shaper_rate_kbps",
  },
  adjust: {
    name: "adjust_{direction}",
    type: FLAG,
    default: true,
    example: "true",
    help: "`false`: {direction} is measured and decided, and never written",
    common: true,
    upstream: { field: "advanced_settings.dry_run", programs: ["rust"] },
    cake: "adjust_{dl}_shaper_rate",
  },
  delay: {
    name: "{direction}_delay_ms",
    type: number(0.1, 10_000, "ms"),
    default: 15,
    defaultWith: { cake: 30 },
    example: "15",
    help: "delay over what is usual in {direction}, above which the line is taken for full",
    common: true,
    upstream: {
      field: "advanced_settings.{direction}_delay_ms",
      programs: BOTH_PROGRAMS,
      flags: ["--{direction}-delay-ms", "--{d}d"],
    },
    cake: "{dl}_owd_delta_delay_thr_ms",
  },
} as const satisfies Readonly<Record<string, Key<unknown>>>;

/** Keys of the link as a whole. */
export const LINK_KEYS = {
  controller: {
    name: "controller",
    type: CONTROLLER,
    default: "sluice",
    example: '"sluice"',
    help: "who decides: sluice's own rules, those of sqm-autorate (`ewma`) or of cake-autorate (`cake`), or a Lua script",
    common: true,
    upstream: { field: "advanced_settings.rate_controller", programs: ["lua"] },
  },
  site: {
    name: "site",
    type: NODE,
    example: '"Tower 1"',
    help: "a node of the shaper's tree (`network.json`), both directions, instead of interfaces",
  },
  highLoad: {
    name: "high_load_level",
    type: number(0, 2),
    default: 0.8,
    defaultWith: { cake: 0.75 },
    example: "0.8",
    help: "share of the rate above which the line counts as loaded: only then the rate may grow",
    common: true,
    upstream: {
      field: "advanced_settings.high_load_level",
      programs: BOTH_PROGRAMS,
      flags: ["--high-load-level"],
      // Upstream's own spelling.
      luaVariable: "SQMA_HIGH_LEVEL_LOAD",
    },
    cake: "high_load_thr",
  },
  activeRate: {
    name: "active_rate",
    type: RATE,
    usual: "2 Mbit/s, or less: 10 % of the lower base, and no more than a minimum",
    example: '"2mbit"',
    help: "traffic below this is none",
    common: true,
    cake: "connection_active_thr_kbps",
  },
  reflectorFile: {
    name: "reflector_file",
    type: PATH,
    usual: "the list that comes with sluice",
    example: '"/etc/sluice/reflectors.csv"',
    help: "hosts that may be asked, a CSV with the columns `reflector_ip,ip_version,description`",
    common: true,
    upstream: { field: "advanced_settings.reflector_list_file", programs: ["rust"] },
    cake: "reflectors",
  },
  reflectorSide: {
    name: "reflector_side",
    type: word(...REFLECTOR_SIDES),
    usual: '`"internet"`',
    example: '"internet"',
    help: "where they are, as seen from the shaper: towards `subscribers`, as behind a site, a probe leaves with the download",
    common: true,
  },
  reflectors: {
    name: "reflectors",
    type: whole(1, 255),
    default: 6,
    example: "6",
    help: "how many of them are asked at a time",
    common: true,
    upstream: { field: "advanced_settings.num_reflectors", programs: ["rust"] },
    cake: "no_pingers",
  },
  interval: {
    name: "probe_interval_s",
    type: number(0.05, 60, "s"),
    default: 0.3,
    example: "0.3",
    help: "between two probes of one reflector",
    common: true,
    upstream: { field: "advanced_settings.tick_interval", programs: ["rust"] },
    cake: "reflector_ping_interval_s",
  },
  modes: {
    name: "probe_modes",
    type: words(...PROBE_MODES),
    default: PROBE_MODES,
    example: '["timestamp", "timestamp-rtt", "echo"]',
    help: "how reflectors are asked, the best first; each in the first that works for it",
    common: true,
    upstream: { field: "advanced_settings.measurement_type", programs: ["rust"] },
    cake: "pinger_method",
  },
  sourceInterface: {
    name: "source_interface",
    type: INTERFACE,
    usual: "as the routes say",
    example: '"wan"',
    help: "probes leave by this interface",
    common: true,
    upstream: { field: "network.measurement_bind_device", programs: ["rust"] },
  },
  sourceAddress: {
    name: "source_address",
    type: ADDRESS,
    usual: "as the routes say",
    example: '"192.0.2.7"',
    help: "probes come from this address",
    common: true,
  },
  fwmark: {
    name: "fwmark",
    type: whole(1, 0xff_ff_ff_ff),
    usual: "none",
    example: "0x300",
    help: "probes carry this mark, for rules of routing",
    common: true,
    upstream: { field: "network.measurement_mark", programs: ["rust"] },
  },
  reselect: {
    name: "reselect_s",
    type: number(10, 604_800, "s"),
    default: 900,
    example: "900",
    help: "between two searches for better reflectors",
    common: true,
    upstream: { field: "advanced_settings.peer_reselection_time", programs: ["rust"] },
    cake: "reflector_replacement_interval_mins",
  },
  onSilence: {
    name: "on_silence",
    type: word("hold", "base", "min"),
    default: "hold",
    example: '"hold"',
    help: "the rates while no reflector answers: kept, base, or the minimum",
    common: true,
    cake: "min_shaper_rates_enforcement",
  },
  idleSleep: {
    name: "idle_sleep_s",
    type: number(0, 86_400, "s"),
    default: 60,
    example: "60",
    help: "probing stops when there was no traffic for so long; `0`: never",
    common: true,
    cake: "sustained_idle_sleep_thr_s",
  },
  restore: {
    name: "restore_on_exit",
    type: FLAG,
    default: true,
    example: "true",
    help: "the base rates are set when sluice stops",
    common: true,
  },
  plugins: {
    name: "plugins",
    type: PATHS,
    usual: "none",
    example: '["/etc/sluice/plugins/rate_cap.lua"]',
    help: "Lua plugins, asked in this order after the controller",
    common: true,
    upstream: {
      field: "plugins.ratecontrol",
      programs: ["lua"],
      flags: ["--plugin-ratecontrol"],
      luaVariable: "SQMA_PLUGIN_RATECONTROL",
    },
  },
  luaOnError: {
    name: "lua_on_error",
    type: word("min", "hold"),
    default: "min",
    example: '"min"',
    help: "what the rates are in a tick in which a controller in Lua fails",
    common: true,
  },
  statsFile: {
    name: "stats_file",
    type: PATH,
    usual: "none",
    example: '"/tmp/sqm-autorate.csv"',
    help: "a CSV with a line per tick, in the columns of sqm-autorate",
    common: true,
    upstream: { field: "output.stats_file", programs: BOTH_PROGRAMS, flags: ["--stats-file"] },
  },
  speedHistoryFile: {
    name: "speed_history_file",
    type: PATH,
    usual: "none",
    example: '"/tmp/sqm-speedhist.csv"',
    help: "a CSV of the rates that `ewma` takes for safe, every five minutes",
    common: true,
    upstream: { field: "output.speed_hist_file", programs: BOTH_PROGRAMS, flags: ["--speed-hist-file"] },
  },
  traceFile: {
    name: "trace_file",
    type: PATH,
    usual: "none",
    example: '"/tmp/autorate.jsonl"',
    help: "every tick as a line of JSON, for `sluice autorate replay`",
    common: true,
  },
} as const satisfies Readonly<Record<string, Key<unknown>>>;

/** Every key of a link, in the order of the documentation. */
export const ALL_LINK_KEYS: readonly Key<unknown>[] = [
  LINK_KEYS.controller,
  LINK_KEYS.site,
  ...Object.values(DIRECTION_KEYS).flatMap((key) => DIRECTIONS.map((d) => directedKey<unknown>(key, d))),
  ...Object.values(LINK_KEYS).filter(({ name }) => name !== "controller" && name !== "site"),
];

const examples = (keys: readonly Key<unknown>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(keys.map(({ name, example }) => [name, example]));

/** Keys of `[autorate.links.NAME]` with an example each; `options` and `plugin` are tables below it. */
export const LINK_TABLE: Readonly<Record<string, string>> = {
  ...examples(ALL_LINK_KEYS),
  options: "{ }",
  plugin: "{ }",
};

/** Keys of `[autorate]`: those that may hold for all links, and the links. */
export const AUTORATE_TABLE: Readonly<Record<string, string>> = {
  ...examples(ALL_LINK_KEYS.filter(({ common }) => common)),
  links: "{ }",
  options: "{ }",
  plugin: "{ }",
};
