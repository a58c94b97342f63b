/** Plans in the dialect that the configuration names; the other one is not even loaded. */
import { type Problem, sluiceError } from "../core/errors.ts";
import type { PlanOptions } from "../shaper/plan.ts";
import type { Shaper, ShapeOptions, ShaperPlan, TreePlan } from "../shaper/shaper.ts";
import type { Inputs } from "./shaper-inputs.ts";

/** Plans what `inputs` ask for. */
export async function planInputs(shaper: Shaper, inputs: Inputs, options: ShapeOptions): Promise<ShaperPlan> {
  const { config, source } = inputs;
  if (source.dialect === "sluice") return shaper.plan(source.isp, config, options);
  const { libreqosPlan } = await import("../shaper/libreqos/dialect.ts");
  return shaper.planAs((machine) => libreqosPlan(source.files, config, machine, options));
}

/** Plans in sluice's own dialect, for commands that show its tree. @throws SluiceError for another */
export function planTree(shaper: Shaper, { config, source }: Inputs, options: ShapeOptions): TreePlan {
  if (source.dialect === "sluice") return shaper.plan(source.isp, config, options);
  const reason = `The tree of the dialect "${source.dialect}" cannot be shown yet: sluice shaper export shows its lines`;
  throw sluiceError("USAGE", { reason, command: "sluice shaper export" });
}

/** What a dialect takes for its own when it cleans up. */
export async function ownership(dialect: Inputs["config"]["dialect"]): Promise<PlanOptions["isOwn"]> {
  return dialect === "libreqos" ? (await import("../shaper/libreqos/plan.ts")).isLibreqosRoot : undefined;
}

/** All warnings, the files' before the plan's. */
export const warningsOf = (inputs: Inputs, plan: ShaperPlan): readonly Problem[] => [
  ...inputs.warnings,
  ...plan.warnings,
];
