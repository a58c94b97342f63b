/** What plugins change: a plugin's results, applied to what was decided. Pure. */
import type { Both, Direction } from "../../core/both.ts";
import { describe } from "./bridge.ts";
import type { LuaFields } from "./messages.ts";

/** What holds after plugins were asked. */
export interface PluginOutcome {
  /** Before rounding and bounds, kbit/s. */
  readonly rates: Both<number>;
  /** Delay that counts as bloat, ms. They stay for later ticks, too. */
  readonly thresholds: Both<number>;
  /** What was changed and what was ignored, in words. */
  readonly notes: readonly string[];
}

/** The results that are heard; all others are not. */
const HEARD: readonly (readonly [field: string, what: "rates" | "thresholds", direction: Direction])[] = [
  ["ul_max_delta_owd", "thresholds", "upload"],
  ["dl_max_delta_owd", "thresholds", "download"],
  ["next_ul_rate", "rates", "upload"],
  ["next_dl_rate", "rates", "download"],
];

/** The outcome with what a plugin returned; `ignored` says which of it was no use. */
export function applyResults(
  before: PluginOutcome,
  plugin: string,
  results: LuaFields,
): { readonly outcome: PluginOutcome; readonly ignored: readonly string[] } {
  const after = { rates: { ...before.rates }, thresholds: { ...before.thresholds } };
  const notes = [...before.notes];
  const ignored: string[] = [];
  for (const [field, what, direction] of HEARD) {
    const value = results[field];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
      ignored.push(`${plugin}: ${field} is ${describe(value)}, wanted a number of 0 or more: ignored`);
      continue;
    }
    const old = after[what][direction];
    if (value !== old) notes.push(`${plugin}: ${field} ${old} -> ${value}`);
    after[what][direction] = value;
  }
  return { outcome: { ...after, notes: [...notes, ...ignored] }, ignored };
}
