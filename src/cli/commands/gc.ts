/** `sluice gc`. */
import { answerPlan, type ChangeFlags, changeOf, noteWarnings } from "../change.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { perform } from "../perform.ts";
import { planLines } from "../render/problems.ts";
import { reporting } from "../report.ts";

async function gc(this: CliContext, flags: ChangeFlags): Promise<void> {
  const output = await perform(this, flags, "gc", { body: changeOf(flags) });
  if (output.schema === "sluice/dispatcher-plan/1") return answerPlan(this, output, flags);
  noteWarnings(this, output);
  if (flags.json) return answerJson(this, output);
  const { actions, removed, mended, left } = output;
  if (actions.length === 0) answer(this, "Nothing to clean up.");
  else
    answer(
      this,
      [
        ...planLines(actions),
        "",
        `GC complete: ${removed.programs} programs, ${removed.dispatchers} dispatchers, ` +
          `${removed.links} links, ${removed.pins} orphan pins removed; ${mended} dispatchers mended.`,
      ].join("\n"),
    );
  if (left.length > 0) note(this, `${left.length} finding(s) are not sluice's to mend: sluice doctor tells of them.`);
  return undefined;
}

/** Runs the command. */
export default reporting(gc);
