/** What a setting was given, and where: layers of sources, of which the first that has it counts. */
import type { Location } from "../../../core/errors.ts";
import { asTable } from "../../../core/toml.ts";
import { partsOf, type UpstreamName } from "../names.ts";
import type { Variables } from "./environment.ts";
import { firstSection, type UciFile } from "./uci.ts";

/** A setting as it stands in a source. */
export interface Given {
  /** TOML's numbers and truths as it would write them; entries of a list parted by blanks. */
  readonly text: string;
  /** What it is called there: `network.upload_interface`, `SQMA_UPLOAD_INTERFACE`, `--ul`. */
  readonly as: string;
  /** Absent when it came from no file. */
  readonly where?: Location;
}

/** A source of settings. */
export type Layer = (name: UpstreamName) => Given | undefined;

/** The first layer that has a setting. */
export const firstOf = (layers: readonly Layer[], name: UpstreamName): Given | undefined => {
  for (const layer of layers) {
    const given = layer(name);
    if (given) return given;
  }
  return undefined;
};

/** A file of UCI: of each type the first section. */
export const uciLayer =
  (uci: UciFile, file: string): Layer =>
  (name) => {
    const [type, option] = partsOf(name);
    const found = firstSection(uci, type)?.options.get(option);
    if (!found) return undefined;
    const { value, line, column } = found;
    return { text: [value].flat().join(" "), as: name.field, where: { file, line, column } };
  };

/** An environment. @param variable the name that a setting has in it */
export const environmentLayer =
  (variables: Variables, variable: (name: UpstreamName) => string, file?: string): Layer =>
  (name) => {
    const as = variable(name);
    const found = variables.get(as);
    if (!found) return undefined;
    return { text: found.value, as, ...(file !== undefined && { where: { file, ...found.where } }) };
  };

/** A TOML document, as parsed. */
export interface TomlSource {
  readonly values: Readonly<Record<string, unknown>>;
  readonly at: (path: string) => Location;
}

const tomlText = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "");

/**
 * Names that the branch of sqm-autorate-rust with controllers in Lua has in its file, which is parted otherwise. Its other
 * names are those of the program.
 */
export const BRANCH_PATHS: Readonly<Record<string, string>> = {
  "advanced_settings.measurement_type": "ping_source.type",
  "advanced_settings.reflector_list_file": "ping_source.reflector_list",
  "advanced_settings.num_reflectors": "ping_source.num_reflectors",
  "advanced_settings.tick_interval": "ping_source.tick_interval",
  "advanced_settings.peer_reselection_time": "ping_source.peer_reselection_time",
  "advanced_settings.download_delay_ms": "algorithm.sqm_ewma.download_delay_ms",
  "advanced_settings.upload_delay_ms": "algorithm.sqm_ewma.upload_delay_ms",
  "advanced_settings.high_load_level": "algorithm.sqm_ewma.high_load_level",
  "advanced_settings.min_change_interval": "algorithm.sqm_ewma.min_change_interval",
  "advanced_settings.speed_hist_size": "algorithm.sqm_ewma.speed_hist_size",
};

/** The value at a path; undefined when there is none. */
export function tomlValue(values: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    const table = asTable(value);
    return table && Object.hasOwn(table, key) ? table[key] : undefined;
  }, values);
}

/** A TOML document: `[section]` with its keys. */
export const tomlLayer =
  ({ values, at }: TomlSource): Layer =>
  ({ field }) => {
    for (const path of [field, BRANCH_PATHS[field]]) {
      const value = path === undefined ? undefined : tomlValue(values, path);
      if (path !== undefined && value !== undefined) return { text: tomlText(value), as: path, where: at(path) };
    }
    return undefined;
  };

/** Every key of a document that is no table, by its path, with its value as text. */
export const tomlPaths = (values: Readonly<Record<string, unknown>>, before = ""): [path: string, value: string][] =>
  Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const table = asTable(value);
    return table ? tomlPaths(table, `${before}${key}.`) : [[`${before}${key}`, tomlText(value)]];
  });
