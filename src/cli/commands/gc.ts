/** `sluice gc`. */
import { formatPlan } from "../../core/plan.ts";
import { DISPATCHER_ACTIONS, dispatcherActionJson } from "../../dispatcher/actions.ts";
import { examine } from "../../dispatcher/doctor.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { answerPlan, type ChangeFlags, noteWarnings, openDispatcher } from "../dispatcher-place.ts";
import { reporting } from "../report.ts";

async function gc(this: CliContext, flags: ChangeFlags): Promise<void> {
  using dispatcher = openDispatcher(this, flags);
  const change = await dispatcher.heal({ dryRun: flags.plan });
  if (flags.plan) return answerPlan(this, change, flags);
  noteWarnings(this, change);
  const { actions } = change.plan;
  const left = examine(dispatcher.snapshot());
  if (flags.json)
    return answerJson(this, "gc", { actions: actions.map((action) => dispatcherActionJson(action)), left });
  if (actions.length === 0) answer(this, "Nothing to clean up.");
  else {
    const rows = actions.flatMap((action) => (action.kind === "store.commit" ? action.changes : []));
    const removed = (kind: string): number => rows.filter((row) => row.kind === kind).length;
    const pins = actions.filter(({ kind }) => kind === "pin.remove").length;
    answer(
      this,
      [
        ...formatPlan(change.plan, DISPATCHER_ACTIONS),
        "",
        `GC complete: ${removed("program.delete")} programs, ${removed("dispatcher.delete")} dispatchers, ` +
          `${removed("link.delete")} links, ${pins} orphan pins removed; ${removed("dispatcher.put")} dispatchers mended.`,
      ].join("\n"),
    );
  }
  if (left.length > 0) note(this, `${left.length} finding(s) are not sluice's to mend: sluice doctor tells of them.`);
}

/** Runs the command. */
export default reporting(gc);
