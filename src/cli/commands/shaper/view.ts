/** Reads what the `shaper` commands show: the planned tree, with the kernel's counters. */
import { readCounters } from "../../../shaper/counters.ts";
import { sidesOf } from "../../../shaper/desired.ts";
import { Shaper } from "../../../shaper/shaper.ts";
import { buildView, type LinkView } from "../../../shaper/view.ts";
import type { CliContext } from "../../context.ts";
import { planTree } from "../../dialect.ts";
import { type Inputs, type PlaceFlags, placeOf, readInputs } from "../../shaper-inputs.ts";

/** The view, and what it was made from. */
export interface LoadedView {
  readonly view: LinkView;
  readonly inputs: Inputs;
  /** Whether the kernel holds just what the files say. */
  readonly inStep: boolean;
}

/** Reads files, store and kernel. */
export async function loadView(context: CliContext, flags: PlaceFlags): Promise<LoadedView> {
  const inputs = await readInputs(flags);
  using shaper = Shaper.open(await placeOf(context, flags), inputs.config.link);
  const { built, facts, actions } = planTree(shaper, inputs, { regardless: true });
  const { sides } = sidesOf(inputs.config, facts);
  const counters = readCounters(shaper.socket, shaper.devices);
  const view = buildView({ tree: built.tree, allocation: built.allocation, sides, counters });
  return { view, inputs, inStep: actions.length === 0 };
}

/** The note that what is shown is not what the kernel does. */
export const OUT_OF_STEP = "note: the kernel differs from the files; sluice plan shows how, sluice apply mends it";
