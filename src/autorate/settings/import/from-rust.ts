/** A link that does what sqm-autorate-rust did with these settings. */
import { DIRECTIONS, type Direction } from "../../../core/both.ts";
import { type Problem, problem } from "../../../core/errors.ts";
import type { RustSettings, RustSources } from "../upstream/rust.ts";
import { rustSettings } from "../upstream/rust.ts";
import { BRANCH_PATHS, tomlPaths } from "../upstream/given.ts";
import { didYouMean } from "../../../core/nearest.ts";
import { namesOf } from "../upstream/rows.ts";
import { algorithmOf } from "./algorithm.ts";
import { type Entry, type ImportResult, type Left, linkName, rateValue } from "./imported.ts";
import { Lines } from "./lines.ts";
import { foreignSettings, unknownOptions, unknownVariables } from "./unknown.ts";

const PROGRAM = "sqm-autorate-rust";

/** The minimum: a share of base, or in kbit/s as early versions had it. */
function minimumLine(lines: Lines, settings: RustSettings, d: Direction): Entry {
  const [percent, kbits] = [`network.${d}_min_percent`, `network.${d}_min_kbits`] as const;
  const rate = settings[kbits];
  return rate === undefined || lines.given.has(percent)
    ? lines.from(percent, `${d}_min_percent`, settings[percent])
    : lines.from(kbits, `${d}_min`, rateValue(rate));
}

function directionLines(lines: Lines, settings: RustSettings): Entry[] {
  const dry = settings["advanced_settings.dry_run"];
  return DIRECTIONS.flatMap((d) => [
    lines.from(`network.${d}_interface`, `${d}_interface`, settings[`network.${d}_interface`]),
    lines.from(`network.${d}_base_kbits`, `${d}_base`, rateValue(settings[`network.${d}_base_kbits`])),
    minimumLine(lines, settings, d),
    lines.from(`advanced_settings.${d}_delay_ms`, `${d}_delay_ms`, settings[`advanced_settings.${d}_delay_ms`]),
    ...(dry ? [lines.from("advanced_settings.dry_run", `adjust_${d}`, false)] : []),
  ]);
}

function probeLines(lines: Lines, settings: RustSettings): Entry[] {
  const of = (field: keyof RustSettings, key: string, value: Entry["value"]): Entry => lines.from(field, key, value);
  const file = "advanced_settings.reflector_list_file";
  const device = settings["network.measurement_bind_device"];
  const mark = settings["network.measurement_mark"];
  const type = "advanced_settings.measurement_type";
  return [
    of("advanced_settings.num_reflectors", "reflectors", settings["advanced_settings.num_reflectors"]),
    of("advanced_settings.tick_interval", "probe_interval_s", settings["advanced_settings.tick_interval"]),
    of(type, "probe_modes", settings[type] === "icmp" ? ["echo"] : ["timestamp"]),
    of(
      "advanced_settings.peer_reselection_time",
      "reselect_s",
      settings["advanced_settings.peer_reselection_time"] * 60,
    ),
    ...(lines.given.has(file) ? [lines.file(file, "reflector_file", settings[file])] : []),
    ...(device === undefined ? [] : [of("network.measurement_bind_device", "source_interface", device)]),
    ...(mark === undefined ? [] : [of("network.measurement_mark", "fwmark", mark)]),
    ...lines.fixed({ on_silence: "min", idle_sleep_s: 0, restore_on_exit: true }),
  ];
}

function fileLines(lines: Lines, settings: RustSettings): Entry[] {
  if (settings["output.suppress_statistics"]) return [];
  return [
    lines.file("output.stats_file", "stats_file", settings["output.stats_file"]),
    lines.file("output.speed_hist_file", "speed_history_file", settings["output.speed_hist_file"]),
  ];
}

/** Keys of the TOML file that the program does not read. */
function unknownKeys({ toml }: RustSources): Left[] {
  if (!toml) return [];
  const known = [...namesOf("rust").map(({ field }) => field), ...Object.values(BRANCH_PATHS)];
  return tomlPaths(toml.values)
    .filter(([path]) => !known.includes(path) && !path.startsWith("algorithm."))
    .map(([path, value]) => ({
      setting: path,
      value,
      why: `${PROGRAM} does not read it${didYouMean(path, known)}`,
      where: toml.at(path),
    }));
}

function leftBehind(sources: RustSources, lines: Lines, settings: RustSettings): Left[] {
  const { uci, environment } = sources;
  const file = "advanced_settings.reflector_list_file";
  const list = {
    setting: file,
    value: settings[file],
    why: "it is the default there; sluice comes with a list, and reflector_file names another",
  };
  return [
    ...foreignSettings(lines.given),
    ...(lines.given.has(file) ? [] : [list]),
    ...(uci ? unknownOptions("rust", uci.content, uci.file) : []),
    ...unknownKeys(sources),
    ...(environment ? unknownVariables("rust", environment.variables, environment.file) : []),
  ];
}

const ewmaLines = (lines: Lines, settings: RustSettings): Entry[] => [
  { key: "compat", value: "rust", note: `reckons to the bit as ${PROGRAM} does; "none" mends its faults` },
  lines.from("advanced_settings.speed_hist_size", "speed_hist_size", settings["advanced_settings.speed_hist_size"]),
];

/** Makes the link. */
export function importRust(sources: RustSources): ImportResult {
  const { settings, errors, given } = rustSettings(sources);
  const problems: Problem[] = errors.map(({ field, reason, given: from }) =>
    problem("AUTORATE_IMPORT_VALUE", { setting: from?.as ?? field, reason }, from?.where),
  );
  if (!settings) return { problems };
  const lines = new Lines(given, PROGRAM);
  const algorithm = algorithmOf(sources.toml);
  const usual: Entry = {
    key: "controller",
    value: "ewma",
    note: `the rules of ${PROGRAM}; without this line sluice's own decide, the default and the better choice`,
  };
  return {
    problems,
    link: {
      name: linkName(settings["network.upload_interface"]),
      entries: [
        algorithm.controller ?? usual,
        ...directionLines(lines, settings),
        lines.from(
          "advanced_settings.high_load_level",
          "high_load_level",
          settings["advanced_settings.high_load_level"],
        ),
        ...probeLines(lines, settings),
        ...fileLines(lines, settings),
      ],
      options: algorithm.controller ? algorithm.options : ewmaLines(lines, settings),
      plugins: [],
      left: [...leftBehind(sources, lines, settings), ...algorithm.left],
    },
  };
}
