/** The thread of a BatchSender: sends a batch on a descriptor of the process, chunk by chunk. */
import { parentPort } from "node:worker_threads";
import { SystemError } from "../errno.ts";
import { ANSWER_BUFFER, LARGEST_CHUNK, type Sending, sendStep } from "./chunk.ts";
import type { Refusal } from "./error.ts";
import { countOf } from "./message.ts";

/** A batch, or the rest of one. */
export interface BatchJob extends Sending {
  /** Those before this message were sent already. */
  readonly from: number;
}

/** What the thread says: that it has come up; then of each batch how far it is after each chunk, and how it ended. */
export type BatchReport =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly tried: number }
  | { readonly kind: "done"; readonly tried: number; readonly refusals: ReadonlyMap<number, Refusal> }
  | { readonly kind: "failed"; readonly syscall: string; readonly errno: number };

const buffer = new Uint8Array(ANSWER_BUFFER);

const report = (message: BatchReport): void => parentPort?.postMessage(message);

function sendBatch(job: BatchJob): void {
  const count = countOf(job);
  for (let { from } = job; ;) {
    const step = sendStep(job, from, LARGEST_CHUNK, buffer);
    if (step.refusals.size === 0) report({ kind: "progress", tried: step.tried });
    if (step.refusals.size > 0 || step.tried === count) return report({ kind: "done", ...step });
    from = step.tried;
  }
}

parentPort?.on("message", (job: BatchJob) => {
  try {
    sendBatch(job);
  } catch (error) {
    // Anything else is a mistake of ours and ends the thread, which the sender reports.
    if (!(error instanceof SystemError)) throw error;
    report({ kind: "failed", syscall: error.syscall, errno: error.errno });
  }
});
report({ kind: "ready" });
