/** Several ids in one command: each by itself, so that one that fails does not keep the others. */
import { messageOf, SluiceError } from "../../core/errors.ts";
import { EXIT } from "../../core/exit.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";

/** What is done to each of the ids. */
export interface Batch {
  readonly noun: string;
  /** What happened to an id, `unloaded`. */
  readonly done: string;
  readonly ids: readonly number[];
  /** Whether there was something to do. */
  readonly each: (id: number) => Promise<boolean>;
}

/** Does it to each, answers with what was done, and exits with 1 when one failed. The only one's error is thrown. */
export async function runBatch(context: CliContext, flags: { readonly json: boolean }, batch: Batch): Promise<void> {
  const { noun, ids } = batch;
  const done: number[] = [];
  const failed: { readonly id: number; readonly message: string }[] = [];
  for (const id of ids) {
    try {
      if (await batch.each(id)) done.push(id);
    } catch (error) {
      if (ids.length === 1 || !(error instanceof SluiceError)) throw error;
      failed.push({ id, message: messageOf(error) });
    }
  }
  if (flags.json) answerJson(context, `${noun}s-${batch.done}`, { [batch.done]: done, failed });
  else for (const id of done) answer(context, `${noun} ${id} ${batch.done}`);
  if (failed.length === 0) return;
  for (const { id, message } of failed) note(context, `${noun} ${id}: ${message}`);
  note(context, `${failed.length} of ${ids.length} ${noun}(s) could not be ${batch.done}`);
  context.process.exitCode = EXIT.failure;
}
