/** A plan: what would change and in which order, as data that can be shown, saved, compared and applied. */
import type { Action, ActionVocabulary, Sign } from "./action.ts";
import type { Problem } from "./errors.ts";

/** An ordered list of actions and what its maker wants the user to know. */
export interface Plan<A extends Action> {
  readonly actions: readonly A[];
  /** Warnings only: a desired state with errors has no plan. */
  readonly warnings: readonly Problem[];
}

/** How many actions add, change and remove. */
export function summarize<A extends Action>(plan: Plan<A>, vocabulary: ActionVocabulary<A>): Record<Sign, number> {
  const count = { "+": 0, "~": 0, "-": 0 };
  for (const action of plan.actions) count[vocabulary.sign(action)] += 1;
  return count;
}

/** The summary for people: `3 to add, 1 to change, 0 to remove`. */
export function formatSummary(count: Readonly<Record<Sign, number>>): string {
  return `${count["+"]} to add, ${count["~"]} to change, ${count["-"]} to remove`;
}
