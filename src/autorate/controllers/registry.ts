/** Controllers by their names, made from what the configuration says. A path is a Lua script's, loaded only then. */
import { both } from "../../core/both.ts";
import type { LinkConfig } from "../config.ts";
import type { Random, Setup } from "../model.ts";
import { CAKE_OPTIONS } from "../settings/options/cake.ts";
import { EWMA_OPTIONS } from "../settings/options/ewma.ts";
import { SLUICE_OPTIONS } from "../settings/options/sluice.ts";
import { optionValues } from "../settings/options/table.ts";
import { cake, CAKE_DEFAULTS, type CakeOptions } from "./cake.ts";
import { type Controller, type Driver, driverOf } from "./controller.ts";
import { ewma } from "./ewma.ts";
import { sluice } from "./sluice/sluice.ts";

/** Begins with this share of base. */
interface Start {
  readonly share: number;
}

type Make = (config: LinkConfig) => Controller<unknown>;

const micro = (ms: number): number => Math.round(ms * 1000);
const thousandths = (factor: number): number => Math.round(factor * 1000);
const millionths = (share: number): number => Math.round(share * 1e6);

function cakeOptions({ options, highLoad, activeRate, directions }: LinkConfig): CakeOptions {
  const given = optionValues(CAKE_OPTIONS, options);
  return {
    ...CAKE_DEFAULTS,
    window: given.bufferbloat_detection_window,
    late: given.bufferbloat_detection_thr,
    delayThreshold: both((d) => micro(directions[d]?.threshold ?? CAKE_DEFAULTS.delayThreshold[d] / 1000)),
    growBelow: {
      download: micro(given.dl_avg_owd_delta_max_adjust_up_thr_ms),
      upload: micro(given.ul_avg_owd_delta_max_adjust_up_thr_ms),
    },
    cutAbove: {
      download: micro(given.dl_avg_owd_delta_max_adjust_down_thr_ms),
      upload: micro(given.ul_avg_owd_delta_max_adjust_down_thr_ms),
    },
    baselineIncrease: millionths(given.alpha_baseline_increase),
    baselineDecrease: millionths(given.alpha_baseline_decrease),
    deltaShare: millionths(given.alpha_delta_ewma),
    cutLeast: thousandths(given.shaper_rate_min_adjust_down_bufferbloat),
    cutMost: thousandths(given.shaper_rate_max_adjust_down_bufferbloat),
    growLeast: thousandths(given.shaper_rate_min_adjust_up_load_high),
    growMost: thousandths(given.shaper_rate_max_adjust_up_load_high),
    decayDown: thousandths(given.shaper_rate_adjust_down_load_low),
    decayUp: thousandths(given.shaper_rate_adjust_up_load_low),
    bloatRest: micro(given.bufferbloat_refractory_period_ms),
    decayRest: micro(given.decay_refractory_period_ms),
    highLoad: Math.round(highLoad * 100),
    activeRate,
  };
}

const MAKE: Readonly<Record<string, Start & { readonly make: Make }>> = {
  sluice: {
    share: 0.8,
    make: ({ options, highLoad, activeRate }) => {
      const given = optionValues(SLUICE_OPTIONS, options);
      return sluice({
        headroom: given.headroom,
        excess: given.excess,
        holdFirst: given.hold_first_s,
        holdMost: Math.max(given.hold_first_s, given.hold_most_s),
        drainTime: given.drain_time_s,
        drainFloor: given.drain_floor,
        idleDecay: given.idle_decay,
        highLoad,
        activeRate,
      });
    },
  },
  ewma: {
    share: 0.6,
    make: ({ options, highLoad, activeRate }) => {
      const given = optionValues(EWMA_OPTIONS, options);
      return ewma({
        compat: given.compat,
        speedHistory: given.speed_hist_size,
        wholeRing: given.whole_ring,
        cutAtLowLoad: given.cut_at_low_load,
        idleDecay: given.idle_decay,
        highLoad,
        activeRate,
      });
    },
  },
  cake: { share: 1, make: (config) => cake(cakeOptions(config)) },
};

/** A Lua script runs as often as sqm-autorate's controllers do, s, and begins as they do. */
const LUA = { period: 0.5, share: 0.6 };

/** How a link's controller is made, and how often it wants to be asked. */
export interface ControllerPlan {
  /** s */
  readonly period: number;
  /** Share of base to begin with. */
  readonly share: number;
  open(setup: Setup): Promise<Driver>;
}

/** The plan of a link. @throws SluiceError at `open`, what is wrong with a Lua script */
export function controllerPlan(config: LinkConfig, random: Random): ControllerPlan {
  const known = MAKE[config.controller];
  if (known) {
    const controller = known.make(config);
    const open = (setup: Setup): Promise<Driver> => Promise.resolve(driverOf(controller, setup, random));
    return { period: controller.period, share: known.share, open };
  }
  return {
    ...LUA,
    open: async (setup) => {
      const [{ LuaController }, { luaSettings }] = await Promise.all([
        import("../lua/controller.ts"),
        import("../lua/settings.ts"),
      ]);
      const { controller: path, options, luaOnError: onError } = config;
      return LuaController.open({ path, options, onError, setup, random, settings: luaSettings(config, setup) });
    },
  };
}
