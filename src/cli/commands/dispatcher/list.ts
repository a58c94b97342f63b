/** `sluice dispatcher list`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { openDispatcher } from "../../dispatcher-place.ts";
import { dispatcherColumns, dispatcherJson } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

async function list(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  using dispatcher = openDispatcher(this);
  const state = dispatcher.state();
  const records = [...state.dispatchers.values()];
  if (flags.json)
    return answerJson(this, "dispatchers", { dispatchers: records.map((record) => dispatcherJson(record, state)) });
  if (records.length === 0) return answer(this, "There are no dispatchers");
  return answer(this, table(records, dispatcherColumns(state), this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
