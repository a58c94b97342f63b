/**
 * The settings of sqm-autorate-rust as it works them out: the environment before TOML before UCI before its defaults, with
 * every error at once, each as `section.field: what is wrong`. Names of earlier versions count as well.
 */
import { Refusal } from "../../../core/config-values.ts";
import { flatVariable, rustVariable } from "../names.ts";
import type { Variables } from "./environment.ts";
import { environmentLayer, firstOf, type Given, tomlLayer, type TomlSource, uciLayer } from "./given.ts";
import { upstreamRow } from "./rows.ts";
import { anyText, choice, count, notNegative, positive, real, type RustValue, text, truth } from "./rust-values.ts";
import type { UciFile } from "./uci.ts";

/** What there is to read. */
export interface RustSources {
  readonly environment?: { readonly file?: string; readonly variables: Variables };
  readonly toml?: TomlSource;
  readonly uci?: { readonly file: string; readonly content: UciFile };
}

const LEAST_REFLECTORS = 5;
const percent = real((value) => (value >= 1 && value <= 100 ? undefined : "wanted 1 to 100"), 20);

/** Every field. Rates in kbit/s, delays in ms, intervals in s, the time between selections in minutes. */
const FIELDS = {
  "network.download_interface": text(),
  "network.upload_interface": text(),
  "network.download_base_kbits": positive(),
  "network.upload_base_kbits": positive(),
  "network.download_min_percent": percent,
  "network.upload_min_percent": percent,
  "output.log_level": choice(["error", "warn", "info", "debug", "trace"], "error"),
  "output.stats_file": anyText("/tmp/sqm-autorate-rust.csv"),
  "output.speed_hist_file": anyText("/tmp/sqm-speedhist.csv"),
  "output.suppress_statistics": truth(false),
  "observability.enabled": truth(false),
  "observability.protocol": choice(["udp", "tcp"], "udp"),
  "observability.host": anyText(""),
  "observability.port": count(0, 65_535, 8089),
  "observability.batch_size": count(0, 2 ** 53 - 1, 25),
  "observability.batch_timeout_ms": count(0, 2 ** 53 - 1, 100),
  "observability.export_ping_metrics": truth(false),
  "observability.export_rate_metrics": truth(true),
  "observability.export_baseline_metrics": truth(false),
  "observability.export_events": truth(true),
  "advanced_settings.download_delay_ms": notNegative(15),
  "advanced_settings.upload_delay_ms": notNegative(15),
  "advanced_settings.high_load_level": notNegative(0.8),
  "advanced_settings.min_change_interval": positive(0.5),
  "advanced_settings.tick_interval": positive(0.5),
  "advanced_settings.measurement_type": choice(["icmp", "icmp-timestamps"], "icmp-timestamps"),
  "advanced_settings.num_reflectors": count(LEAST_REFLECTORS, 255, 5),
  "advanced_settings.peer_reselection_time": count(1, 2 ** 53 - 1, 15),
  "advanced_settings.reflector_list_file": text("/etc/sqm-autorate/reflectors-icmp.csv"),
  "advanced_settings.speed_hist_size": count(1, 2 ** 32 - 1, 100),
  "advanced_settings.dry_run": truth(false),
} as const satisfies Readonly<Record<string, RustValue<unknown>>>;

/** Fields of other versions, absent when they are not set: `_kbits` before there were percents, the others later. */
const OTHERS = {
  "network.download_min_kbits": positive(),
  "network.upload_min_kbits": positive(),
  "network.measurement_bind_device": text(),
  "network.measurement_mark": count(1, 2 ** 32 - 1),
} as const satisfies Readonly<Record<string, RustValue<unknown>>>;

type ValueOf<V> = V extends RustValue<infer T> ? T : never;
/** All settings by `section.field`. */
export type RustSettings = { readonly [F in keyof typeof FIELDS]: ValueOf<(typeof FIELDS)[F]> } & {
  readonly [F in keyof typeof OTHERS]?: ValueOf<(typeof OTHERS)[F]>;
};

/** Something that is wrong, or worth knowing. */
export interface RustIssue {
  readonly field: string;
  readonly reason: string;
  readonly given?: Given;
}

/** What comes of it. */
export interface RustResult {
  /** Absent when there is an error. */
  readonly settings?: RustSettings;
  readonly errors: readonly RustIssue[];
  readonly warnings: readonly RustIssue[];
  /** What each setting was given; none for those that are defaults. */
  readonly given: ReadonlyMap<string, Given>;
}

/** An issue as the program says it. */
export const rustIssueText = ({ field, reason }: RustIssue): string => `${field}: ${reason}`;

type Note = (field: string, reason: string) => void;

/** Below these a minimum is worth a warning, kbit/s. */
const LOW = { download: 1000, upload: 500 } as const;
const HIGH_PERCENT = 80;

function checkMinimums(settings: RustSettings, error: Note, warn: Note): void {
  for (const direction of ["download", "upload"] as const) {
    const field = `network.${direction}_min_percent` as const;
    if (settings[field] > HIGH_PERCENT) warn(field, `${settings[field]} % leaves little room to go down`);
    const min = Math.floor((settings[`network.${direction}_base_kbits`] * settings[field]) / 100);
    if (settings[`network.${direction}_min_kbits`] !== undefined) continue;
    if (min < 1) error(field, "the minimum that comes of it is 0 kbit/s");
    else if (min < LOW[direction]) warn(field, `the minimum that comes of it is only ${min} kbit/s`);
  }
}

function checkOutput(settings: RustSettings, error: Note): void {
  if (settings["output.suppress_statistics"]) return;
  const [stats, history] = [settings["output.stats_file"].trim(), settings["output.speed_hist_file"].trim()];
  if (stats === "") error("output.stats_file", "it is blank, and statistics are written");
  if (history === "") error("output.speed_hist_file", "it is blank, and statistics are written");
  if (stats !== "" && stats === history) error("output.stats_file", "it is the file of output.speed_hist_file too");
}

function checkObservability(settings: RustSettings, error: Note, warn: Note): void {
  if (!settings["observability.enabled"]) return;
  if (settings["observability.host"].trim() === "") error("observability.host", "it is needed when metrics are sent");
  for (const field of ["observability.port", "observability.batch_size", "observability.batch_timeout_ms"] as const)
    if (settings[field] === 0) error(field, "it is 0, wanted more");
  const { [`observability.export_ping_metrics`]: ping, [`observability.export_rate_metrics`]: rate } = settings;
  if (!ping && !rate && !settings["observability.export_baseline_metrics"] && !settings["observability.export_events"])
    warn("observability.enabled", "nothing is sent: all that could be is off");
}

function checkLoad(settings: RustSettings, warn: Note): void {
  const field = "advanced_settings.high_load_level";
  if (settings[field] === 0) warn(field, "with 0 any load counts as high");
  if (settings[field] > 1) warn(field, `with ${settings[field]} a line at its rate does not count as loaded`);
}

/** Works out the settings, with every error. */
export function rustSettings({ environment, toml, uci }: RustSources): RustResult {
  const layers = [
    ...(environment
      ? [rustVariable, flatVariable].map((of) => environmentLayer(environment.variables, of, environment.file))
      : []),
    ...(toml ? [tomlLayer(toml)] : []),
    ...(uci ? [uciLayer(uci.content, uci.file)] : []),
  ];
  const given = new Map<string, Given>();
  const errors: RustIssue[] = [];
  const warnings: RustIssue[] = [];
  const note =
    (list: RustIssue[]): Note =>
    (field, reason) => {
      const from = given.get(field);
      list.push({ field, reason, ...(from && { given: from }) });
    };
  const error = note(errors);
  const fields: Readonly<Record<string, RustValue<unknown>>> = { ...FIELDS, ...OTHERS };
  const entries = Object.entries(fields).flatMap(([field, kind]): [string, unknown][] => {
    const found = firstOf(layers, upstreamRow(field).name);
    if (!found) {
      if (kind.default === undefined && !(field in OTHERS)) error(field, "it is set nowhere, and is needed");
      return kind.default === undefined ? [] : [[field, kind.default]];
    }
    given.set(field, found);
    const value = kind.read(found.text);
    if (!(value instanceof Refusal)) return [[field, value]];
    error(field, value.reason);
    return [];
  });
  // Each entry is what its own field reads. Where one is missing there is an error, and what is reckoned with it no number.
  const settings = Object.fromEntries(entries) as RustSettings;
  const warn = note(warnings);
  checkMinimums(settings, error, warn);
  checkOutput(settings, error);
  checkObservability(settings, error, warn);
  checkLoad(settings, warn);
  return { ...(errors.length === 0 && { settings }), errors, warnings, given };
}
