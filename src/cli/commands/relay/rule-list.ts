/** `sluice relay rule list`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { RULE_COLUMNS } from "../../render/relay.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

async function list(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "relay.rules", {});
  if (flags.json) return answerJson(this, output);
  if (output.rules.length === 0) return answer(this, "There are no rules");
  return answer(this, table(output.rules, RULE_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
