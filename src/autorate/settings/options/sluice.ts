/** Options of `sluice`, the default controller. docs/autorate.md says what they do to its equations. */
import { number } from "../value-type.ts";
import type { OptionTable } from "./table.ts";

const share = number(0, 0.5);
const seconds = number(0.05, 60, "s");

/** The table. */
export const SLUICE_OPTIONS = {
  headroom: {
    type: share,
    default: 0.03,
    help: "share of the capacity that is left free, so that the queue stays in the shaper",
  },
  excess: {
    type: number(0.01, 0.5),
    default: 0.06,
    help: "how far beyond the known capacity is looked for more, as a share of it",
  },
  hold_first_s: { type: seconds, default: 0.3, help: "rest after another capacity was found" },
  hold_most_s: { type: seconds, default: 0.5, help: "the same when it keeps being what it was" },
  drain_time_s: { type: seconds, default: 0.25, help: "a queue is drained in about this time" },
  drain_floor: {
    type: number(0.05, 0.95),
    default: 0.4,
    help: "least share of the capacity that is sent meanwhile",
  },
  idle_decay: {
    type: share,
    default: 0.01,
    help: "share of base that the rate goes back to it each second without traffic",
  },
} as const satisfies OptionTable;
