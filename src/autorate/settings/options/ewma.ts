/** Options of `ewma`, the rules of sqm-autorate. */
import { BOTH_PROGRAMS } from "../names.ts";
import { FLAG, whole, word } from "../value-type.ts";
import type { OptionTable } from "./table.ts";

/** The table. */
export const EWMA_OPTIONS = {
  speed_hist_size: {
    type: whole(1, 100_000),
    default: 100,
    help: "safe rates that are remembered per direction",
    upstream: {
      field: "advanced_settings.speed_hist_size",
      programs: BOTH_PROGRAMS,
      flags: ["--speed-hist-size"],
    },
  },
  compat: {
    type: word("none", "lua", "rust"),
    default: "none",
    help: "`lua` and `rust` reckon to the bit as sqm-autorate and sqm-autorate-rust do, faults included; the options below have no effect then",
  },
  whole_ring: {
    type: FLAG,
    default: true,
    help: "a cut may pick any of the safe rates; sqm-autorate never picks the last",
  },
  cut_at_low_load: {
    type: word("confirm", "always"),
    default: "confirm",
    help: "delay while the line is hardly loaded: believed in the second tick in a row or from half of the reflectors, or at once",
  },
  idle_decay: {
    type: FLAG,
    default: false,
    help: "without traffic the rate goes back to base by 1 % a second",
  },
} as const satisfies OptionTable;
