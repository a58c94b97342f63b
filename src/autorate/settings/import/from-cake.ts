/** A link that does what cake-autorate did with a configuration of its own. */
import { isIP } from "node:net";
import { DIRECTIONS, type Direction } from "../../../core/both.ts";
import { problem } from "../../../core/errors.ts";
import { DIRECTION_KEYS } from "../keys.ts";
import { directed } from "../key.ts";
import { CAKE_OPTIONS } from "../options/cake.ts";
import { type CakeSettings, cakeSettings } from "../upstream/cake.ts";
import type { ShellFile } from "../upstream/shell.ts";
import { CAKE_LEFT } from "./cake-left.ts";
import { type Entry, givenText, type ImportResult, type Left, linkName, rateValue } from "./imported.ts";

const PROGRAM = "cake-autorate";

/** Makes lines of variables. */
class CakeLines {
  readonly settings: CakeSettings;
  readonly file: string;

  constructor(settings: CakeSettings, file: string) {
    this.settings = settings;
    this.file = file;
  }

  place(name: string) {
    const at = this.settings.assigned.get(name);
    return at && { file: this.file, line: at.line, column: at.column };
  }

  from(name: string, key: string, value: Entry["value"], note?: string): Entry {
    const where = this.place(name);
    if (!where) return { key, value, note: `${name}, the default of ${PROGRAM}` };
    const given = givenText({ as: name, where });
    return { key, value, note: note === undefined ? given : `${given}: ${note}`, where };
  }
}

/** `dl_if` for download. */
const variableOf = (key: { readonly cake: string }, d: Direction): string => directed(key.cake, d);

function directionLines(lines: CakeLines): Entry[] {
  const { settings } = lines;
  const { interface: device, base, min, max, adjust, delay } = DIRECTION_KEYS;
  return DIRECTIONS.filter((d) => d === "upload" || !settings.on("upload_only")).flatMap((d) => {
    const rate = (key: typeof base | typeof min | typeof max): Entry =>
      lines.from(variableOf(key, d), directed(key.name, d), rateValue(settings.number(variableOf(key, d))));
    const name = variableOf(delay, d);
    return [
      lines.from(variableOf(device, d), directed(device.name, d), settings.text(variableOf(device, d))),
      rate(base),
      rate(min),
      rate(max),
      lines.from(variableOf(adjust, d), directed(adjust.name, d), settings.on(variableOf(adjust, d))),
      lines.from(name, directed(delay.name, d), settings.number(name)),
    ];
  });
}

const MODES: Readonly<Record<string, readonly string[]>> = {
  fping: ["echo"],
  ping: ["echo"],
  "fping-ts": ["timestamp"],
  tsping: ["timestamp"],
};

/** `-I wwan0 -m 768` of ping: what sluice has keys for. Undefined when there is more in it. */
function pingArguments(lines: CakeLines): Entry[] | undefined {
  const name = "ping_extra_args";
  const words = lines.settings.text(name).split(/\s+/).filter(Boolean);
  const entries: Entry[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [flag, value = ""] = [words[at], words[at + 1]];
    const mark = /^(?:0x[\da-f]+|\d+)$/i.test(value) ? Number(value) : undefined;
    if (flag === "-m" && mark !== undefined) entries.push(lines.from(name, "fwmark", mark));
    else if (flag === "-I" && value !== "")
      entries.push(lines.from(name, isIP(value) === 0 ? "source_interface" : "source_address", value));
    else return undefined;
  }
  return entries;
}

function probeLines(lines: CakeLines): Entry[] {
  const { settings } = lines;
  const number = (name: string, key: string, factor = 1): Entry =>
    lines.from(name, key, settings.number(name) * factor);
  const modes = MODES[settings.text("pinger_method")];
  const sleeps = settings.on("enable_sleep_function");
  return [
    number("no_pingers", "reflectors"),
    number("reflector_ping_interval_s", "probe_interval_s"),
    ...(modes ? [lines.from("pinger_method", "probe_modes", modes)] : []),
    number("reflector_replacement_interval_mins", "reselect_s", 60),
    ...(pingArguments(lines) ?? []),
    sleeps
      ? number("sustained_idle_sleep_thr_s", "idle_sleep_s")
      : lines.from("enable_sleep_function", "idle_sleep_s", 0),
    settings.on("min_shaper_rates_enforcement")
      ? lines.from("min_shaper_rates_enforcement", "on_silence", "min", "on silence; without traffic it is base")
      : lines.from("min_shaper_rates_enforcement", "on_silence", "hold"),
    lines.from("connection_active_thr_kbps", "active_rate", rateValue(settings.number("connection_active_thr_kbps"))),
    lines.from("high_load_thr", "high_load_level", settings.number("high_load_thr")),
    { key: "restore_on_exit", value: true, note: `as ${PROGRAM} does` },
  ];
}

/** What is set, and not carried over. */
function leftBehind(lines: CakeLines): Left[] {
  const { settings } = lines;
  const reason = (name: string): string | undefined => {
    if (name === "pinger_method")
      return MODES[settings.text(name)]
        ? undefined
        : "it is unknown here; sluice asks for timestamps and echoes by itself";
    if (name === "ping_extra_args" && pingArguments(lines)) return undefined;
    return CAKE_LEFT[name];
  };
  return [...settings.assigned].flatMap(([name, { value }]): Left[] => {
    const why = reason(name);
    const where = lines.place(name);
    const text = [value].flat().join(" ");
    return why === undefined || text === "" ? [] : [{ setting: name, value: text, why, ...(where && { where }) }];
  });
}

/** The name of an instance: `config.primary.sh` is `primary`. */
const instanceOf = (file: string): string | undefined => /(?:^|\/)config\.(.+)\.sh$/.exec(file)?.[1];

/** Makes the link. */
export function importCake(script: ShellFile, file: string): ImportResult {
  const syntax = script.faults.map(({ reason, ...at }) =>
    problem("AUTORATE_IMPORT_SYNTAX", { what: "this as a plain assignment", reason }, { file, ...at }),
  );
  const { settings, errors } = cakeSettings(script);
  const values = errors.map(({ name, reason, where }) =>
    problem("AUTORATE_IMPORT_VALUE", { setting: name, reason }, { file, ...where }),
  );
  const problems = [...syntax, ...values];
  if (!settings || problems.length > 0) return { problems };
  const lines = new CakeLines(settings, file);
  const controller: Entry = {
    key: "controller",
    value: "cake",
    note: `the rules of ${PROGRAM}; without this line sluice's own decide, the default and the better choice`,
  };
  const options = Object.keys(CAKE_OPTIONS).filter((name) => settings.assigned.has(name));
  return {
    problems,
    link: {
      name: linkName(instanceOf(file) ?? settings.text("ul_if")),
      entries: [controller, ...directionLines(lines), ...probeLines(lines)],
      options: options.map((name) => lines.from(name, name, settings.number(name))),
      plugins: [],
      left: leftBehind(lines),
    },
  };
}
