/** What changes of the dispatcher share: plans that are only shown, and ids taken one by one. */
import type { PlannedJson } from "../../api/schemas/dispatcher.ts";
import { messageOf, type Problem, SluiceError } from "../../core/errors.ts";
import { dispatcherActionJson } from "../../dispatcher/actions.ts";
import type { Change } from "../../dispatcher/dispatcher.ts";
import { parseMetadata } from "../../dispatcher/words.ts";

/** A plan that is not carried out. */
export const plannedOutput = ({ plan, warnings }: Change): PlannedJson => ({
  schema: "sluice/dispatcher-plan/1",
  actions: plan.actions.map((action) => dispatcherActionJson(action)),
  warnings: [...warnings],
});

/** What came of several. */
interface EachResult {
  readonly done: number[];
  readonly failed: { readonly id: number; readonly message: string }[];
  readonly warnings: Problem[];
}

/**
 * Does something to each id by itself, so that one that fails does not keep the others.
 *
 * @param body says whether there was something to do, and what was worth telling
 * @throws the only one's error
 */
export async function forEach(
  ids: readonly number[],
  body: (id: number) => Promise<{ readonly done: boolean; readonly warnings: readonly Problem[] }>,
): Promise<EachResult> {
  const result: EachResult = { done: [], failed: [], warnings: [] };
  for (const id of ids) {
    try {
      const { done, warnings } = await body(id);
      if (done) result.done.push(id);
      result.warnings.push(...warnings);
    } catch (error) {
      if (ids.length === 1 || !(error instanceof SluiceError)) throw error;
      result.failed.push({ id, message: messageOf(error) });
    }
  }
  return result;
}

/** Whether something carries all of `KEY=VALUE,...`. */
export function carries(has: Readonly<Record<string, string>>, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const pairs = wanted
    .split(",")
    .filter(Boolean)
    .map((word) => parseMetadata(word));
  return pairs.every(([key, value]) => has[key] === value);
}
