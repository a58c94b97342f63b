/** Making the kernel hold what inputs say, and taking it all away. */
import type { Output } from "../../api/routes.ts";
import { sluiceError } from "../../core/errors.ts";
import { actionJson, type ShaperAction } from "../../shaper/actions.ts";
import { type ExecutorChoice, Shaper, type ShapeOptions } from "../../shaper/shaper.ts";
import type { PlanOptions } from "../../shaper/plan.ts";
import type { ShaperConfig } from "../../shaper/model.ts";
import type { Inputs } from "../files.ts";
import { type Place, shaperPlace } from "../place.ts";
import { planInputs, planTag, summaryOf, warningsOf } from "./plan.ts";

/** How to apply. */
export interface ApplyOptions extends ShapeOptions {
  readonly executor: ExecutorChoice;
  /** Milliseconds to wait for another change; 0 waits for ever. */
  readonly lockTimeout?: number;
  /** The tag of the plan that is expected. */
  readonly ifMatch?: string;
}

/** What was done. */
export interface Applied {
  readonly actions: readonly ShaperAction[];
  readonly output: Output<"shaper.apply">;
}

/** What {@link applyInputs} tells on its way. */
export interface ApplyHooks {
  /** The plan is made and about to be carried out. */
  readonly planned?: (actions: readonly ShaperAction[]) => void;
}

/**
 * Plans and applies under the lock.
 *
 * @throws SluiceError STATE_MOVED when another plan is expected; then nothing was done
 */
export async function applyInputs(
  place: Place,
  inputs: Inputs,
  options: ApplyOptions,
  hooks: ApplyHooks = {},
): Promise<Applied> {
  using shaper = Shaper.open(shaperPlace(place), inputs.config.link);
  using _lock = await shaper.lock(options.lockTimeout);
  const plan = await planInputs(shaper, inputs, options);
  const tag = planTag(plan);
  if (options.ifMatch !== undefined && options.ifMatch !== tag)
    throw sluiceError("STATE_MOVED", { actual: tag, wanted: options.ifMatch });
  hooks.planned?.(plan.actions);
  const started = place.clock.monotonic();
  await shaper.apply(plan, options.executor, {
    ...(place.signal && { signal: place.signal }),
    ...(place.onProgress && { onProgress: place.onProgress }),
  });
  const milliseconds = Math.round(place.clock.monotonic() - started);
  const warnings = warningsOf(inputs, plan);
  return {
    actions: plan.actions,
    output: { schema: "sluice/apply/1", summary: summaryOf(plan), milliseconds, warnings },
  };
}

/** What a dialect takes for its own when it cleans up. */
async function ownership(dialect: ShaperConfig["dialect"]): Promise<PlanOptions["isOwn"]> {
  return dialect === "libreqos" ? (await import("../../shaper/libreqos/plan.ts")).isLibreqosRoot : undefined;
}

/** Removes everything that sluice made on the link, under the lock. */
export async function cleanUp(
  place: Place,
  config: ShaperConfig,
  lockTimeout?: number,
): Promise<Output<"shaper.cleanup">> {
  using shaper = Shaper.open(shaperPlace(place), config.link);
  using _lock = await shaper.lock(lockTimeout);
  const signal = place.signal ? { signal: place.signal } : {};
  const { actions } = await shaper.removeAll(signal, await ownership(config.dialect));
  return { schema: "sluice/cleanup/1", actions: actions.map((action) => actionJson(action)) };
}
