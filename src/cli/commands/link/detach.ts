/** `sluice link detach`. */
import { detachLinks } from "../../../dispatcher/manage.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { answerPlan, type ChangeFlags, noteWarnings, openDispatcher } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { runBatch } from "../batch.ts";

interface Flags extends ChangeFlags {
  readonly ignoreMissing: boolean;
  readonly reclaimClsact: boolean;
}

async function detach(this: CliContext, flags: Flags, ...words: string[]): Promise<void> {
  const ids = words.map((word) => parseId(word));
  const { ignoreMissing, reclaimClsact, plan } = flags;
  using dispatcher = openDispatcher(this, flags);
  if (plan) {
    const { change } = await detachLinks(dispatcher, ids, { ignoreMissing, reclaimClsact, dryRun: true });
    return answerPlan(this, change, flags);
  }
  const each = async (id: number): Promise<boolean> => {
    const { change, items } = await detachLinks(dispatcher, [id], { ignoreMissing, reclaimClsact });
    noteWarnings(this, change);
    return items.length > 0;
  };
  return await runBatch(this, flags, { noun: "link", done: "detached", ids, each });
}

/** Runs the command. */
export default reporting(detach);
