/**
 * Runs a plan: hands the actions to an executor in order, and when one fails takes back what was done, in reverse. A
 * failed undo never hides the failure that caused it; all of them are joined into one error.
 */
import type { Action, ActionVocabulary } from "./action.ts";
import { messageOf, sluiceError } from "./errors.ts";
import type { Plan } from "./plan.ts";

/**
 * The edge that does what actions say: the kernel over netlink, `tc -batch`, a file, a fake OS.
 * An executor may be handed many actions at once so that it can batch; it must do them in order and stop at the first
 * that fails.
 */
export interface Executor<A extends Action> {
  /** At most how many actions it wants in one call; between calls progress is shown and an abort is seen. */
  readonly batch: number;
  /** Does the actions in order. Resolves to how many were done, and the error of the next one if it failed. */
  run(actions: readonly A[]): Promise<{ readonly done: number; readonly error?: Error }>;
}

/** Options of {@link execute}. */
export interface ExecuteOptions {
  /** Called after each batch with the number of actions done so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between batches; what was done is then undone like after a failure. */
  readonly signal?: AbortSignal;
}

async function undo<A extends Action>(done: readonly A[], vocabulary: ActionVocabulary<A>, executor: Executor<A>): Promise<{ undone: number; failures: string[] }> {
  const inverses = done.toReversed().flatMap((action) => vocabulary.inverse(action) ?? []);
  const failures: string[] = [];
  let position = 0;
  let undone = 0;
  while (position < inverses.length) {
    const result = await executor.run(inverses.slice(position, position + executor.batch));
    undone += result.done;
    position += result.done;
    if (result.error) {
      failures.push(`cannot undo "${vocabulary.describe(inverses[position]!)}": ${messageOf(result.error)}`);
      position += 1;
    }
  }
  return { undone, failures };
}

/**
 * Applies a plan, all of it or (as far as undo goes) none of it.
 *
 * @throws SluiceError APPLY_ROLLED_BACK with the cause, how far it came, and every undo that failed too.
 */
export async function execute<A extends Action>(plan: Plan<A>, vocabulary: ActionVocabulary<A>, executor: Executor<A>, options: ExecuteOptions = {}): Promise<void> {
  const { actions } = plan;
  let done = 0;
  let failure: string | undefined;
  let cause: unknown;
  while (done < actions.length) {
    if (options.signal?.aborted) {
      failure = "it was interrupted";
      break;
    }
    const result = await executor.run(actions.slice(done, done + executor.batch));
    done += result.done;
    if (result.error) {
      cause = result.error;
      failure = `"${vocabulary.describe(actions[done]!)}": ${messageOf(result.error)}`;
      break;
    }
    options.onProgress?.(done, actions.length);
  }
  if (failure === undefined) return;
  const { undone, failures } = await undo(actions.slice(0, done), vocabulary, executor);
  const remedy = failures.length === 0 ? "Nothing is left of it; mend the cause and apply again" : "Run sluice plan to see what is left, then apply again";
  throw sluiceError("APPLY_ROLLED_BACK", { reason: [failure, ...failures].join("; "), undone, done, remedy }, { cause });
}
