/** The plan for inputs, without doing anything. */
import type { Output } from "../../api/routes.ts";
import { Shaper, type ShapeOptions } from "../../shaper/shaper.ts";
import type { Inputs } from "../files.ts";
import { type Place, shaperPlace } from "../place.ts";
import { planInputs, planOutput, warningsOf } from "./plan.ts";

/** `shaper.plan` @throws SluiceError with everything that stands against it */
export async function planFiles(place: Place, inputs: Inputs, options: ShapeOptions): Promise<Output<"shaper.plan">> {
  using shaper = Shaper.open(shaperPlace(place), inputs.config.link);
  const plan = await planInputs(shaper, inputs, options);
  return planOutput(plan, warningsOf(inputs, plan));
}
