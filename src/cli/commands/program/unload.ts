/** `sluice program unload`. */
import { unloadPrograms } from "../../../dispatcher/manage.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { answerPlan, type ChangeFlags, noteWarnings, openDispatcher } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { runBatch } from "../batch.ts";

interface Flags extends ChangeFlags {
  readonly ignoreMissing: boolean;
}

async function unload(this: CliContext, flags: Flags, ...words: string[]): Promise<void> {
  const ids = words.map((word) => parseId(word));
  const { ignoreMissing, plan } = flags;
  using dispatcher = openDispatcher(this, flags);
  if (plan) {
    const { change } = await unloadPrograms(dispatcher, ids, { ignoreMissing, dryRun: true });
    return answerPlan(this, change, flags);
  }
  const each = async (id: number): Promise<boolean> => {
    const { change, items } = await unloadPrograms(dispatcher, [id], { ignoreMissing });
    noteWarnings(this, change);
    return items.length > 0;
  };
  return await runBatch(this, flags, { noun: "program", done: "unloaded", ids, each });
}

/** Runs the command. */
export default reporting(unload);
