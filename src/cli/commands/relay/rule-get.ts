/** `sluice relay rule get RULE`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { ruleLines } from "../../render/relay.ts";
import { reporting } from "../../report.ts";

async function get(this: CliContext, flags: { readonly json: boolean }, id: string): Promise<void> {
  const output = await ask(this, "relay.rule", { params: { id } });
  if (flags.json) return answerJson(this, output);
  return answer(this, ruleLines(output.rule, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(get);
