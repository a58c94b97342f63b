/** A link that does what sqm-autorate (the program in Lua) did with these settings. */
import { DIRECTIONS } from "../../../core/both.ts";
import { problem } from "../../../core/errors.ts";
import { DIRECTION_KEYS } from "../keys.ts";
import { directed } from "../key.ts";
import { luaLimit, luaNumber } from "../upstream/lua-number.ts";
import { type LuaResult, type LuaSettings, luaSettings, type LuaSources } from "../upstream/lua.ts";
import { firstSection } from "../upstream/uci.ts";
import {
  type Entry,
  givenText,
  type ImportedPlugin,
  type ImportResult,
  type Left,
  linkName,
  rateValue,
} from "./imported.ts";
import { Lines } from "./lines.ts";
import { foreignSettings, unknownOptions, unknownVariables } from "./unknown.ts";

const PROGRAM = "sqm-autorate";
/** Where its plugins are looked for. */
const MODULES = "/usr/lib/sqm-autorate";
const USUAL_PERCENT = 20;
/** Where sluice's own are, and what is to be said of those that sqm-autorate comes with. */
const OWN_PLUGINS = "/usr/lib/sluice/lua/plugins";
const SHIPPED: Readonly<Record<string, string>> = {
  "delay-histogram": `that of sluice, which does the same without ${PROGRAM} being there`,
  log_readings: `that of sluice; the one of ${PROGRAM} cannot be started`,
  pretty_speeds: `that of sluice; the one of ${PROGRAM} cannot be started`,
};

/** A line for a number that is kept within bounds. */
function limitedLine(lines: Lines, field: string, key: string, value: number, from: number, to: number): Entry {
  const text = lines.given.get(field)?.text;
  const kept = text === undefined || luaNumber(text) === value;
  return lines.from(field, key, value, kept ? undefined : `${text}, of which it takes ${from} to ${to}`);
}

function minimumLine(lines: Lines, field: string, key: string): Entry {
  const percent = luaNumber(lines.given.get(field)?.text ?? "") ?? USUAL_PERCENT;
  return limitedLine(lines, field, key, luaLimit(percent, 1, 80), 1, 80);
}

function directionLines(lines: Lines, settings: LuaSettings): Entry[] {
  return DIRECTIONS.flatMap((d) => {
    const short = d === "download" ? "dl" : "ul";
    const { interface: device, base, minPercent, delay } = DIRECTION_KEYS;
    const [baseField, minField] = [directed(base.upstream.field, d), directed(minPercent.upstream.field, d)];
    return [
      lines.from(directed(device.upstream.field, d), directed(device.name, d), settings[`${short}_if`]),
      lines.from(baseField, directed(base.name, d), rateValue(settings[`base_${short}_rate`])),
      minimumLine(lines, minField, directed(minPercent.name, d)),
      lines.from(directed(delay.upstream.field, d), directed(delay.name, d), settings[`${short}_max_delta_owd`]),
    ];
  });
}

/** What it does and has no settings for. */
const fixedLines = (lines: Lines, settings: LuaSettings): Entry[] =>
  lines.fixed({
    reflectors: settings.num_reflectors,
    probe_interval_s: settings.tick_duration,
    probe_modes: ["timestamp"],
    reselect_s: settings.peer_reselection_time * 60,
    on_silence: "min",
    idle_sleep_s: 0,
    restore_on_exit: false,
  });

function fileLines(lines: Lines, settings: LuaSettings): Entry[] {
  if (!settings.output_statistics) return [];
  return [
    lines.file("output.stats_file", "stats_file", settings.stats_file),
    lines.file("output.speed_hist_file", "speed_history_file", settings.speedhist_file),
  ];
}

/** The plugin's file, its section of UCI. */
function pluginLines(
  lines: Lines,
  { uci }: LuaSources,
  plugin: string | undefined,
): { readonly entries: readonly Entry[]; readonly plugins: readonly ImportedPlugin[]; readonly left: readonly Left[] } {
  if (plugin === undefined) return { entries: [], plugins: [], left: [] };
  const name = pluginSection(plugin);
  const shipped = SHIPPED[plugin];
  const path = plugin.includes("/") ? plugin : `${MODULES}/${plugin}.lua`;
  const entries = [
    lines.from("plugins.ratecontrol", "plugins", [shipped ? `${OWN_PLUGINS}/${name}.lua` : path], shipped),
  ];
  const section = uci && firstSection(uci.content, name);
  if (!section) return { entries, plugins: [], left: [] };
  const left: Left[] = [];
  const settings = [...section.options].flatMap(([key, { value, line, column }]): Entry[] => {
    const where = { file: uci.file, line, column };
    if (typeof value === "string") return [{ key, value, note: givenText({ as: `${name}.${key}`, where }), where }];
    left.push({
      setting: `${name}.${key}`,
      value: value.join(" "),
      why: "settings of plugins are single values",
      where,
    });
    return [];
  });
  return { entries, plugins: [{ name, entries: settings }], left };
}

/** What a plugin's section is called: its file without folder and ending, and without dashes. */
const pluginSection = (plugin: string): string =>
  plugin
    .replace(/^.*\//, "")
    .replace(/\.lua$/, "")
    .replaceAll("-", "_");

/** What is not carried over. */
function leftBehind(sources: LuaSources, result: LuaResult, settings: LuaSettings): Left[] {
  const { uci, environment } = sources;
  const controller = result.given.get("advanced_settings.rate_controller");
  const plugin = settings.plugin_ratecontrol;
  const sections = plugin === undefined ? [] : [pluginSection(plugin)];
  return [
    ...foreignSettings(result.given),
    ...(controller && controller.text !== "ewma"
      ? [
          {
            setting: controller.as,
            value: controller.text,
            why: `ratecontroller_${controller.text} is a module of ${PROGRAM} with a loop of its own, and no script for sluice; ewma is in its place`,
            ...(controller.where && { where: controller.where }),
          },
        ]
      : []),
    {
      setting: "its list of reflectors",
      value: `${MODULES}/reflectors-icmp.csv`,
      why: "sluice comes with a list; name this one as reflector_file to go on with it",
    },
    ...(uci ? unknownOptions("lua", uci.content, uci.file, sections) : []),
    ...(environment ? unknownVariables("lua", environment.variables, environment.file) : []),
  ];
}

/** Makes the link. */
export function importLua(sources: LuaSources): ImportResult {
  const result = luaSettings(sources);
  const { settings, faults } = result;
  const problems = [
    ...(sources.flags?.faults ?? []).map((reason) =>
      problem("AUTORATE_IMPORT_VALUE", { setting: "the flags", reason }),
    ),
    ...faults.map(({ field, reason, given }) =>
      problem("AUTORATE_IMPORT_VALUE", { setting: given?.as ?? field, reason }, given?.where),
    ),
  ];
  if (!settings || problems.length > 0) return { problems };
  const lines = new Lines(result.given, PROGRAM);
  const plugin = pluginLines(lines, sources, settings.plugin_ratecontrol);
  const controller: Entry = {
    key: "controller",
    value: "ewma",
    note: `the rules of ${PROGRAM}; without this line sluice's own decide, the default and the better choice`,
  };
  return {
    problems,
    link: {
      name: linkName(settings.ul_if),
      entries: [
        controller,
        ...directionLines(lines, settings),
        limitedLine(
          lines,
          "advanced_settings.high_load_level",
          "high_load_level",
          settings.high_load_level,
          0.67,
          0.95,
        ),
        ...fixedLines(lines, settings),
        ...fileLines(lines, settings),
        ...plugin.entries,
      ],
      options: [
        { key: "compat", value: "lua", note: `reckons to the bit as ${PROGRAM} does; "none" mends its faults` },
        lines.from("advanced_settings.speed_hist_size", "speed_hist_size", settings.histsize),
      ],
      plugins: plugin.plugins,
      left: [...leftBehind(sources, result, settings), ...plugin.left],
    },
  };
}
