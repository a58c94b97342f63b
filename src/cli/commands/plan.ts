/** `sluice plan`: what would `apply` change? Changes nothing; exit code 2 when there is something to change. */
import { EXIT } from "../../core/exit.ts";
import { formatPlan, formatSummary, summarize } from "../../core/plan.ts";
import { actionJson, SHAPER_ACTIONS } from "../../shaper/actions.ts";
import { batchLine } from "../../shaper/executors/file.ts";
import { Shaper } from "../../shaper/shaper.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { planInputs, warningsOf } from "../dialect.ts";
import { warningLines } from "../render/problems.ts";
import { reporting } from "../report.ts";
import { type PlaceFlags, placeOf, readInputs } from "../shaper-inputs.ts";

/** Flags of `plan`. */
interface Flags extends PlaceFlags {
  readonly json: boolean;
  readonly tc: boolean;
  readonly replaceForeign: boolean;
  readonly rebalance: boolean;
}

async function plan(this: CliContext, flags: Flags): Promise<void> {
  const inputs = await readInputs(flags);
  using shaper = Shaper.open(await placeOf(this, flags), inputs.config.link);
  const result = await planInputs(shaper, inputs, flags);
  const warnings = warningsOf(inputs, result);
  const count = summarize(result, SHAPER_ACTIONS);
  if (result.actions.length > 0) this.process.exitCode = EXIT.changes;
  if (flags.json) {
    const summary = { add: count["+"], change: count["~"], remove: count["-"] };
    const actions = result.actions.map((action) => actionJson(action));
    return answerJson(this, "plan", { summary, actions, warnings });
  }
  for (const line of warningLines(warnings)) note(this, line);
  if (flags.tc) {
    if (result.actions.length > 0) answer(this, result.actions.map((action) => batchLine(action)).join("\n"));
    return undefined;
  }
  const lines = formatPlan(result, SHAPER_ACTIONS);
  answer(this, lines.length > 0 ? [...lines, "", formatSummary(count)].join("\n") : "Nothing to change.");
  return undefined;
}

/** Runs the command. */
export default reporting(plan);
