/** `sluice program unload`. */
import { answerPlan, answerTaken, type ChangeFlags, changeOf } from "../../change.ts";
import type { CliContext } from "../../context.ts";
import { perform } from "../../perform.ts";
import { reporting } from "../../report.ts";

interface Flags extends ChangeFlags {
  readonly ignoreMissing: boolean;
}

async function unload(this: CliContext, flags: Flags, ...words: string[]): Promise<void> {
  const { parseId } = await import("../../../control/words.ts");
  const ids = words.map((word) => parseId(word));
  const body = { ids, ignoreMissing: flags.ignoreMissing, ...changeOf(flags) };
  const output = await perform(this, flags, "programs.unload", { body });
  if (output.schema === "sluice/dispatcher-plan/1") return answerPlan(this, output, flags);
  return answerTaken(this, flags, output, { noun: "program", done: "unloaded", ids: output.unloaded });
}

/** Runs the command. */
export default reporting(unload);
