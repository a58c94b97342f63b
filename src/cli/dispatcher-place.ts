/** What the dispatcher's commands begin with, and how they end. */
import { formatPlan, formatSummary, summarize } from "../core/plan.ts";
import { dispatcherActionJson, DISPATCHER_ACTIONS } from "../dispatcher/actions.ts";
import { type Change, Dispatcher } from "../dispatcher/dispatcher.ts";
import { APPLICATION, parseMetadata } from "../dispatcher/words.ts";
import { pathsBelow } from "../linux/paths.ts";
import { answer, answerJson, type CliContext, note } from "./context.ts";
import { type LockFlags, lockTimeoutOf } from "./lock-timeout.ts";
import { warningLines } from "./render/problems.ts";

/** Flags of commands that change something. */
export interface ChangeFlags extends LockFlags {
  readonly json: boolean;
  readonly plan: boolean;
}

/** Opens the dispatcher of this installation. Dispose it. */
export function openDispatcher(context: CliContext, flags: LockFlags = {}): Dispatcher {
  const lockTimeout = lockTimeoutOf(flags);
  return new Dispatcher({
    paths: pathsBelow(),
    clock: context.clock,
    ...(lockTimeout !== undefined && { lockTimeout }),
  });
}

/** Metadata as the flags give it, the application among it. */
export function metadataOf(flags: {
  readonly metadata?: readonly string[] | undefined;
  readonly application?: string | undefined;
}): Record<string, string> {
  const pairs = (flags.metadata ?? []).map((word) => parseMetadata(word));
  return Object.fromEntries(flags.application === undefined ? pairs : [...pairs, [APPLICATION, flags.application]]);
}

/** Whether something carries all of these. */
export const hasMetadata = (has: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([key, value]) => has[key] === value);

/** Shows the warnings of a change on stderr. */
export function noteWarnings(context: CliContext, change: Change): void {
  for (const line of warningLines(change.warnings)) note(context, line);
}

/** Shows a plan that is not carried out. */
export function answerPlan(context: CliContext, change: Change, flags: { readonly json: boolean }): void {
  const { plan } = change;
  const count = summarize(plan, DISPATCHER_ACTIONS);
  if (flags.json)
    return answerJson(context, "dispatcher-plan", {
      actions: plan.actions.map((action) => dispatcherActionJson(action)),
      warnings: change.warnings,
    });
  noteWarnings(context, change);
  return answer(context, [...formatPlan(plan, DISPATCHER_ACTIONS), "", formatSummary(count)].join("\n"));
}
