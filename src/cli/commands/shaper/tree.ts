/** `sluice shaper tree`: the nodes with their rates and what they sent. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { OUT_OF_STEP, TREE_COLUMNS, treeRows } from "../../render/circuits.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
  readonly circuits: boolean;
}

async function tree(this: CliContext, flags: Flags): Promise<void> {
  const output = await perform(this, flags, "shaper.tree", { query: { circuits: flags.circuits ? "true" : "false" } });
  if (flags.json) return answerJson(this, output);
  if (!output.inStep) note(this, OUT_OF_STEP);
  return answer(this, table(treeRows(output), TREE_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(tree);
