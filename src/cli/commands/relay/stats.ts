/** `sluice relay stats`: what went through, by rule, output and interface. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { statsLines } from "../../render/relay.ts";
import { reporting } from "../../report.ts";

async function stats(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "relay.stats", {});
  if (flags.json) return answerJson(this, output);
  if (output.rules.length === 0) return answer(this, "There are no rules");
  return answer(this, statsLines(output.rules, output.interfaces, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(stats);
