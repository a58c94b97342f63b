/** `sluice dispatcher list`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { DISPATCHER_COLUMNS } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const output = await perform(this, flags, "dispatchers.list", {});
  if (flags.json) return answerJson(this, output);
  if (output.dispatchers.length === 0) return answer(this, "There are no dispatchers");
  return answer(this, table(output.dispatchers, DISPATCHER_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
