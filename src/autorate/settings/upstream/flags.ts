/** The command line of sqm-autorate (the program in Lua): `--upload-interface wan`, `--ul=wan`, `--ns`. */
import type { UpstreamName } from "../names.ts";
import type { Given, Layer } from "./given.ts";
import { namesOf } from "./rows.ts";

/** A command line that was read. */
export interface LuaFlags {
  readonly given: ReadonlyMap<string, Given>;
  /** Whole sentences without their end. */
  readonly faults: readonly string[];
}

/** Flags that stand alone. */
const BARE = new Set(["output.suppress_statistics"]);
/** Flags after which the program prints something and ends. */
const ENDS: readonly string[] = ["-h", "--help", "-v", "--version", "-s", "--show-settings"];

/** Reads the words of a command line; never throws. */
export function parseLuaFlags(words: readonly string[]): LuaFlags {
  const byFlag = new Map(namesOf("lua").flatMap((name) => (name.flags ?? []).map((flag) => [flag, name] as const)));
  const given = new Map<string, Given>();
  const faults: string[] = [];
  const put = ({ field }: UpstreamName, as: string, text: string): void => void given.set(field, { text, as });
  for (let at = 0; at < words.length; at += 1) {
    const [, flag = "", , value] = /^(--?[^=]*)(=(.*))?$/s.exec(words[at]!) ?? [];
    const name = byFlag.get(flag);
    if (ENDS.includes(flag)) faults.push(`with ${flag} the program only prints something`);
    else if (!name) faults.push(`"${words[at]}" is no flag of the program`);
    else if (BARE.has(name.field)) put(name, flag, "yes");
    else if (value !== undefined) put(name, flag, value);
    else if (at + 1 < words.length) put(name, flag, words[(at += 1)]!);
    else faults.push(`${flag} has no value behind it`);
  }
  return { given, faults };
}

/** The layer of a command line. */
export const flagsLayer =
  ({ given }: LuaFlags): Layer =>
  ({ field }) =>
    given.get(field);
