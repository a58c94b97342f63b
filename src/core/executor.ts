/**
 * Runs a plan: hands the actions to an executor in order, and when one fails takes back what was done, in reverse. A
 * failed undo never hides the failure that caused it; all of them are joined into one error.
 */
import type { Action, ActionVocabulary } from "./action.ts";
import { messageOf, SluiceError, sluiceError } from "./errors.ts";
import type { Plan } from "./plan.ts";

/** What became of an action: undefined is success. */
export type Outcome = Error | undefined;

/**
 * The edge that does what actions say: the kernel over netlink, `tc -batch`, a file, a fake OS. It is handed several
 * actions at once so that it can batch them.
 */
export interface Executor<A extends Action> {
  /** At most how many actions it wants in one call; between calls progress is shown and an abort is seen. */
  readonly batch: number;
  /**
   * Tries the actions in order. The outcomes stand for the first actions, one each; those beyond were not tried. Actions
   * after a failed one may have been tried (the kernel goes on within a batch) and then have an outcome of their own.
   */
  run(actions: readonly A[]): Promise<readonly Outcome[]>;
}

/** Options of {@link execute}. */
export interface ExecuteOptions {
  /** Called after each batch with the number of actions done so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between batches; what was done is then undone like after a failure. */
  readonly signal?: AbortSignal;
  /** Hand over at most this many actions at once, fewer than the executor would take. */
  readonly batch?: number;
  /** When everything could be taken back, and the cause is a registered error, throw that one instead. */
  readonly plainCause?: boolean;
}

async function undo<A extends Action>(done: readonly A[], vocabulary: ActionVocabulary<A>, executor: Executor<A>) {
  const inverses = done.toReversed().flatMap((action) => vocabulary.inverse(action));
  const failures = done
    .filter((action) => vocabulary.sign(action) === "-" && vocabulary.inverse(action).length === 0)
    .map((action) => `"${vocabulary.describe(action)}" is for good`);
  for (let position = 0; position < inverses.length;) {
    const outcomes = await executor.run(inverses.slice(position, position + executor.batch));
    if (outcomes.length === 0) throw new TypeError("The executor tried no action");
    for (const [i, error] of outcomes.entries()) {
      if (error) failures.push(`cannot undo by "${vocabulary.describe(inverses[position + i]!)}": ${messageOf(error)}`);
    }
    position += outcomes.length;
  }
  return failures;
}

/**
 * Applies a plan, all of it or (as far as undo goes) none of it.
 *
 * @throws SluiceError APPLY_ROLLED_BACK (see {@link ExecuteOptions.plainCause}) with the cause, how far it came, and every undo that failed too.
 */
export async function execute<A extends Action>(
  plan: Plan<A>,
  vocabulary: ActionVocabulary<A>,
  executor: Executor<A>,
  options: ExecuteOptions = {},
): Promise<void> {
  const { actions } = plan;
  const batch = Math.min(executor.batch, options.batch ?? executor.batch);
  const done: A[] = [];
  let failure: string | undefined;
  let cause: unknown;
  for (let position = 0; position < actions.length && failure === undefined;) {
    if (options.signal?.aborted) {
      failure = "it was interrupted";
      break;
    }
    const outcomes = await executor.run(actions.slice(position, position + batch));
    if (outcomes.length === 0) throw new TypeError("The executor tried no action");
    for (const [i, error] of outcomes.entries()) {
      const action = actions[position + i]!;
      if (!error) done.push(action);
      else if (failure === undefined) {
        cause = error;
        failure = `"${vocabulary.describe(action)}": ${messageOf(error)}`;
      }
    }
    position += outcomes.length;
    options.onProgress?.(position, actions.length);
  }
  if (failure === undefined) return;
  const failures = await undo(done, vocabulary, executor);
  if (options.plainCause && failures.length === 0 && cause instanceof SluiceError) throw cause;
  throw sluiceError(
    "APPLY_ROLLED_BACK",
    {
      reason: [failure, ...failures].join("; "),
      done: done.length,
      remedy:
        failures.length === 0
          ? "Nothing is left of it; mend the cause and apply again"
          : "Run sluice plan to see what is left, then apply again",
    },
    { cause },
  );
}
