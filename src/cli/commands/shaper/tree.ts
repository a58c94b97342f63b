/** `sluice shaper tree`: the nodes with their rates and what they sent. */
import { circuitsIn } from "../../../shaper/view.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { TREE_COLUMNS, treeRows } from "../../render/circuits.ts";
import { circuitJson, nodeJson } from "../../render/json.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";
import type { PlaceFlags } from "../../shaper-inputs.ts";
import { loadView, OUT_OF_STEP } from "./view.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
  readonly circuits: boolean;
}

async function tree(this: CliContext, flags: Flags): Promise<void> {
  const { view, inStep } = await loadView(this, flags);
  if (flags.json) {
    const nodes = view.nodes.map((node) => nodeJson(node));
    return answerJson(this, "shaper-tree", {
      inStep,
      nodes,
      orphans: view.orphans.map((orphan) => circuitJson(orphan)),
      ...(flags.circuits && { circuits: circuitsIn(view).map((circuit) => circuitJson(circuit)) }),
    });
  }
  if (!inStep) note(this, OUT_OF_STEP);
  return answer(this, table(treeRows(view, flags.circuits), TREE_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(tree);
