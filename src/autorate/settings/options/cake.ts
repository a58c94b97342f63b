/** Options of `cake`, the rules of cake-autorate, by its own names. What else it has are keys of the link. */
import type { Options } from "../../config.ts";
import { number, whole } from "../value-type.ts";
import { type OptionTable, optionValues } from "./table.ts";

const milliseconds = number(0.1, 10_000, "ms");
const down = number(0.01, 1);
const up = number(1, 2);
const share = number(0.000_001, 1);

/** The table. */
export const CAKE_OPTIONS = {
  bufferbloat_detection_window: {
    type: whole(1, 1000),
    default: 6,
    help: "answers that are looked at together",
  },
  bufferbloat_detection_thr: {
    type: whole(1, 1000),
    default: 3,
    help: "how many of them have to be late for the line to be full",
  },
  dl_avg_owd_delta_max_adjust_up_thr_ms: {
    type: milliseconds,
    default: 10,
    help: "average delay of download below which the rate grows fastest",
  },
  ul_avg_owd_delta_max_adjust_up_thr_ms: {
    type: milliseconds,
    default: 10,
    help: "the same of upload",
  },
  dl_avg_owd_delta_max_adjust_down_thr_ms: {
    type: milliseconds,
    default: 60,
    help: "average delay of download above which it is cut hardest",
  },
  ul_avg_owd_delta_max_adjust_down_thr_ms: {
    type: milliseconds,
    default: 60,
    help: "the same of upload",
  },
  alpha_baseline_increase: { type: share, default: 0.001, help: "how fast a reflector's baseline rises" },
  alpha_baseline_decrease: { type: share, default: 0.9, help: "how fast it falls" },
  alpha_delta_ewma: { type: share, default: 0.095, help: "how fast the average delay of a reflector follows" },
  shaper_rate_min_adjust_down_bufferbloat: { type: down, default: 0.99, help: "factor of the least cut" },
  shaper_rate_max_adjust_down_bufferbloat: { type: down, default: 0.75, help: "factor of the hardest cut" },
  shaper_rate_min_adjust_up_load_high: { type: up, default: 1, help: "factor of the least growth" },
  shaper_rate_max_adjust_up_load_high: { type: up, default: 1.04, help: "factor of the fastest growth" },
  shaper_rate_adjust_down_load_low: { type: down, default: 0.99, help: "factor on the way down to base without load" },
  shaper_rate_adjust_up_load_low: { type: up, default: 1.01, help: "factor on the way up to base without load" },
  bufferbloat_refractory_period_ms: {
    type: whole(0, 60_000, "ms"),
    default: 300,
    help: "between two cuts, and from a cut to growth",
  },
  decay_refractory_period_ms: {
    type: whole(0, 60_000, "ms"),
    default: 1000,
    help: "between two steps back to base",
  },
} as const satisfies OptionTable;

/** Why options cannot be used together, or hardly. */
export interface CakeOptionFault {
  readonly key: keyof typeof CAKE_OPTIONS;
  readonly severity: "error" | "warning";
  readonly reason: string;
}

/**
 * What only several options together tell, as cake-autorate checks it.
 *
 * @param between two answers of any reflector, s
 */
export function checkCakeOptions(options: Options, between: number): readonly CakeOptionFault[] {
  const values = optionValues(CAKE_OPTIONS, options);
  const { bufferbloat_detection_window: window, bufferbloat_detection_thr: late } = values;
  const rest = values.bufferbloat_refractory_period_ms;
  const renewed = Math.round(window * between * 1000);
  const faults: CakeOptionFault[] = [];
  if (late > window) {
    const reason = `it is ${late}, more than bufferbloat_detection_window with ${window}`;
    faults.push({ key: "bufferbloat_detection_thr", severity: "error", reason });
  }
  if (rest < renewed) {
    const reason = `it is ${rest} ms, and ${window} new answers take ${renewed} ms: the next cut is made by old ones`;
    faults.push({ key: "bufferbloat_refractory_period_ms", severity: "warning", reason });
  }
  return faults;
}
