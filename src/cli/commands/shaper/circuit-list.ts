/** `sluice shaper circuit list`: every circuit on a line. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { CIRCUIT_COLUMNS, OUT_OF_STEP } from "../../render/circuits.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const output = await perform(this, flags, "shaper.circuits", {});
  if (flags.json) return answerJson(this, output);
  if (!output.inStep) note(this, OUT_OF_STEP);
  return answer(this, table(output.circuits, CIRCUIT_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
