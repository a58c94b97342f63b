/** Options of `sluice`, the default controller. */
import { number } from "../value-type.ts";
import type { OptionTable } from "./table.ts";

/** The table. */
export const SLUICE_OPTIONS = {
  headroom: {
    type: number(0, 0.5),
    default: 0.03,
    help: "share of the capacity that is left free, so that the queue stays in the shaper",
  },
} as const satisfies OptionTable;
