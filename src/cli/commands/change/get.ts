/** `sluice change get`: one plan that was carried out, with its actions. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { planLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";

async function get(this: CliContext, flags: { readonly json: boolean }, id: string): Promise<void> {
  const output = await ask(this, "plans.get", { params: { id } });
  if (flags.json) return answerJson(this, output);
  const { plan, actions, omitted } = output;
  const rest = omitted > 0 ? [`... and ${omitted} more, which were not kept`] : [];
  const head = `${plan.time} ${plan.result} for ${plan.who}${plan.reason === undefined ? "" : `: ${plan.reason}`}`;
  return answer(this, [head, ...planLines(actions), ...rest].join("\n"));
}

/** Runs the command. */
export default reporting(get);
