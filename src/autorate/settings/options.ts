/** The options of the controllers: each has its own table, and `[autorate.links.NAME.options]` is read by that. */
import { CAKE_OPTIONS } from "./options/cake.ts";
import { EWMA_OPTIONS } from "./options/ewma.ts";
import type { OptionTable } from "./options/table.ts";
import { SLUICE_OPTIONS } from "./options/sluice.ts";

/** By the controller's name. A new controller begins with a row here; a Lua script has none, and takes any key. */
export const CONTROLLER_OPTIONS: Readonly<Record<string, OptionTable>> = {
  sluice: SLUICE_OPTIONS,
  ewma: EWMA_OPTIONS,
  cake: CAKE_OPTIONS,
};
