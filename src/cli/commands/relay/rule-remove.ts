/** `sluice relay rule remove RULE`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { reporting } from "../../report.ts";

async function remove(this: CliContext, flags: { readonly json: boolean }, id: string): Promise<void> {
  const output = await ask(this, "relay.remove", { params: { id } });
  if (flags.json) return answerJson(this, output);
  return answer(this, `Rule ${output.id} removed`);
}

/** Runs the command. */
export default reporting(remove);
