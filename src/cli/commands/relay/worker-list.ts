/** `sluice relay worker list`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { WORKER_COLUMNS } from "../../render/relay.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

async function list(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "relay.workers", {});
  if (flags.json) return answerJson(this, output);
  if (output.workers.length === 0) return answer(this, "There are no workers: no rule is active");
  return answer(this, table(output.workers, WORKER_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
