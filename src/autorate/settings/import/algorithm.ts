/** `[algorithm]` of the branch of sqm-autorate-rust with controllers in Lua: which controller, and with what. */
import { asTable } from "../../../core/toml.ts";
import { tomlPaths, tomlValue, type TomlSource } from "../upstream/given.ts";
import { Refusal } from "../../../core/config-values.ts";
import { SCALAR } from "../value-type.ts";
import { type Entry, givenText, type Left } from "./imported.ts";

/** A controller that is not the usual one. */
export interface Algorithm {
  /** Absent: the usual one after all. */
  readonly controller?: Entry;
  readonly options: readonly Entry[];
  readonly left: readonly Left[];
}

const SCRIPT = "algorithm.lua.script";

/** A Lua script with its options. */
function scripted({ values, at }: TomlSource, script: string): Algorithm {
  const options: Entry[] = [];
  const left: Left[] = [];
  for (const [key, value] of Object.entries(asTable(tomlValue(values, "algorithm.lua")) ?? {})) {
    const path = `algorithm.lua.${key}`;
    const where = at(path);
    const scalar = SCALAR.read(value);
    if (path === SCRIPT) continue;
    if (scalar instanceof Refusal)
      left.push({
        setting: path,
        value: JSON.stringify(value) ?? "",
        why: "options of a script are single values",
        where,
      });
    else options.push({ key, value: scalar, note: givenText({ as: path, where }), where });
  }
  const where = at(SCRIPT);
  return {
    controller: { key: "controller", value: script, note: givenText({ as: SCRIPT, where }), where },
    options,
    left,
  };
}

/** Reads it. */
export function algorithmOf(toml: TomlSource | undefined): Algorithm {
  const type = toml && tomlValue(toml.values, "algorithm.type");
  const script = toml && tomlValue(toml.values, SCRIPT);
  if (toml && type === "lua" && typeof script === "string") return scripted(toml, script);
  const others = toml ? tomlPaths(asTable(tomlValue(toml.values, "algorithm")) ?? {}) : [];
  const left = others.flatMap(([key, value]): Left[] => {
    const setting = `algorithm.${key}`;
    if (!toml || key.startsWith("sqm_ewma.") || (key === "type" && value === "sqm-ewma")) return [];
    const why =
      key === "type"
        ? "sluice has no such controller by this name; ewma is in its place"
        : "it is for another controller";
    return [{ setting, value, why, where: toml.at(setting) }];
  });
  return { options: [], left };
}
