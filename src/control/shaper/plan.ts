/** What `plan` answers, and what all operations of the shaper begin with. */
import { createHash } from "node:crypto";
import type { Output } from "../../api/routes.ts";
import { type Problem, sluiceError } from "../../core/errors.ts";
import { type Plan, summarize } from "../../core/plan.ts";
import { actionJson, SHAPER_ACTIONS, type ShaperAction } from "../../shaper/actions.ts";
import { batchLine } from "../../shaper/executors/file.ts";
import type { ShapeOptions, Shaper, ShaperPlan, TreePlan } from "../../shaper/shaper.ts";
import type { Inputs } from "../files.ts";

/** Plans what `inputs` ask for, in the dialect that the configuration names; the other one is not even loaded. */
export async function planInputs(shaper: Shaper, inputs: Inputs, options: ShapeOptions): Promise<ShaperPlan> {
  const { config, source } = inputs;
  if (source.dialect === "sluice") return shaper.plan(source.isp, config, options);
  const { libreqosPlan } = await import("../../shaper/libreqos/dialect.ts");
  return shaper.planAs((machine) => libreqosPlan(source.files, config, machine, options));
}

/** Plans in sluice's own dialect, for who shows its tree. @throws SluiceError for another */
export function planTree(shaper: Shaper, { config, source }: Inputs, options: ShapeOptions): TreePlan {
  if (source.dialect === "sluice") return shaper.plan(source.isp, config, options);
  const reason = `The tree of the dialect "${source.dialect}" cannot be shown yet: sluice shaper export shows its lines`;
  throw sluiceError("USAGE", { reason, command: "sluice shaper export" });
}

/** All warnings, the files' before the plan's. */
export const warningsOf = (inputs: Inputs, plan: ShaperPlan): Problem[] => [...inputs.warnings, ...plan.warnings];

/** How many actions a plan has of each kind. */
export function summaryOf(plan: Plan<ShaperAction>): { add: number; change: number; remove: number } {
  const count = summarize(plan, SHAPER_ACTIONS);
  return { add: count["+"], change: count["~"], remove: count["-"] };
}

/** What stands for a plan: the same for the same actions. */
export function planTag(plan: Plan<ShaperAction>): string {
  const hash = createHash("sha256");
  for (const action of plan.actions) hash.update(`${SHAPER_ACTIONS.sign(action)} ${SHAPER_ACTIONS.describe(action)}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** The answer. */
export const planOutput = (plan: ShaperPlan, warnings: Problem[]): Output<"shaper.plan"> => ({
  schema: "sluice/plan/1",
  summary: summaryOf(plan),
  actions: plan.actions.map((action) => ({ ...actionJson(action), tc: batchLine(action) })),
  warnings,
  tag: planTag(plan),
});
