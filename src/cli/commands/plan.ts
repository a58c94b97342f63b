/** `sluice plan`: what would `apply` change? Changes nothing; exit code 2 when there is something to change. */
import { EXIT } from "../../core/exit.ts";
import { formatSummary } from "../../core/plan.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { perform, type PlaceFlags } from "../perform.ts";
import { planLines, signCount, warningLines } from "../render/problems.ts";
import { reporting } from "../report.ts";

/** Flags of `plan`. */
interface Flags extends PlaceFlags {
  readonly json: boolean;
  readonly tc: boolean;
  readonly replaceForeign: boolean;
  readonly rebalance: boolean;
}

const yesNo = (yes: boolean): "true" | "false" => (yes ? "true" : "false");

async function plan(this: CliContext, flags: Flags): Promise<void> {
  const query = { replaceForeign: yesNo(flags.replaceForeign), rebalance: yesNo(flags.rebalance) };
  const output = await perform(this, flags, "shaper.plan", { query });
  const { actions, summary, warnings } = output;
  if (actions.length > 0) this.process.exitCode = EXIT.changes;
  if (flags.json) return answerJson(this, output);
  for (const line of warningLines(warnings)) note(this, line);
  if (flags.tc) {
    if (actions.length > 0) answer(this, actions.map(({ tc }) => tc).join("\n"));
    return undefined;
  }
  const lines = planLines(actions);
  return answer(
    this,
    lines.length > 0 ? [...lines, "", formatSummary(signCount(summary))].join("\n") : "Nothing to change.",
  );
}

/** Runs the command. */
export default reporting(plan);
