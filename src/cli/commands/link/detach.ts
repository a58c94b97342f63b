/** `sluice link detach`. */
import { answerPlan, answerTaken, type ChangeFlags, changeOf } from "../../change.ts";
import type { CliContext } from "../../context.ts";
import { perform } from "../../perform.ts";
import { reporting } from "../../report.ts";

interface Flags extends ChangeFlags {
  readonly ignoreMissing: boolean;
  readonly reclaimClsact: boolean;
}

async function detach(this: CliContext, flags: Flags, ...words: string[]): Promise<void> {
  const { parseId } = await import("../../../control/words.ts");
  const ids = words.map((word) => parseId(word));
  const { ignoreMissing, reclaimClsact } = flags;
  const body = { ids, ignoreMissing, reclaimClsact, ...changeOf(flags) };
  const output = await perform(this, flags, "links.detach", { body });
  if (output.schema === "sluice/dispatcher-plan/1") return answerPlan(this, output, flags);
  return answerTaken(this, flags, output, { noun: "link", done: "detached", ids: output.detached });
}

/** Runs the command. */
export default reporting(detach);
