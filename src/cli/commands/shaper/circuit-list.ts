/** `sluice shaper circuit list`: every circuit on a line. */
import { circuitsIn } from "../../../shaper/view.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { CIRCUIT_COLUMNS } from "../../render/circuits.ts";
import { circuitJson } from "../../render/json.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";
import type { PlaceFlags } from "../../shaper-inputs.ts";
import { loadView, OUT_OF_STEP } from "./view.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const { view, inStep } = await loadView(this, flags);
  const circuits = circuitsIn(view);
  if (flags.json) {
    return answerJson(this, "circuit-list", { inStep, circuits: circuits.map((circuit) => circuitJson(circuit)) });
  }
  if (!inStep) note(this, OUT_OF_STEP);
  return answer(this, table(circuits, CIRCUIT_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
