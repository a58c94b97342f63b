/** How commands end that make the daemon hold another configuration. */
import type { Output } from "../api/routes.ts";
import { formatSummary } from "../core/plan.ts";
import { answer, answerJson, type CliContext, note } from "./context.ts";
import { signCount, warningLines } from "./render/problems.ts";

/** Answers with what changed. */
export function answerReloaded(
  context: CliContext,
  flags: { readonly json: boolean },
  output: Output<"config.reload">,
): void {
  if (flags.json) return answerJson(context, output);
  for (const line of warningLines(output.warnings)) note(context, line);
  const { configuration, changed, summary, milliseconds } = output;
  const which = `Configuration ${configuration?.id ?? "-"} holds${configuration?.pinned ? " (pinned)" : ""}`;
  const what = changed ? `${formatSummary(signCount(summary))} in ${milliseconds} ms` : "nothing to change";
  return answer(context, `${which}: ${what}.`);
}
