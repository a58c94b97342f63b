/** The thread of a BatchSender: sends a batch on a descriptor of the process, chunk by chunk. */
import { parentPort } from "node:worker_threads";
import { ERRNO, SystemError } from "../errno.ts";
import { ANSWER_BUFFER, chunkEnd, sendChunk } from "./chunk.ts";
import type { Refusal } from "./error.ts";
import { countOf, type EncodedBatch } from "./message.ts";

/** A batch to send. */
export interface BatchJob extends EncodedBatch {
  readonly fd: number;
  /** The first of as many sequence numbers as there are messages. */
  readonly sequence: number;
}

/** What the thread says: progress after each chunk, then how the batch ended. */
export type BatchReport =
  | { readonly kind: "progress"; readonly tried: number }
  | { readonly kind: "done"; readonly tried: number; readonly refusals: ReadonlyMap<number, Refusal> }
  | { readonly kind: "failed"; readonly syscall: string; readonly errno: number };

const SMALLEST = 16;
const LARGEST = 64;
/** So long others shall wait for the RTNL lock, in milliseconds. */
const PATIENCE = 20;
/** Below the default send buffer of 208 KiB. */
const CHUNK_BYTES = 128 * 1024;

const buffer = new Uint8Array(ANSWER_BUFFER);

const report = (message: BatchReport): void => parentPort?.postMessage(message);

function sendBatch(job: BatchJob): void {
  const count = countOf(job);
  let size = LARGEST;
  let from = 0;
  while (from < count) {
    const to = chunkEnd(job, from, size, CHUNK_BYTES);
    const begin = performance.now();
    const { refusals, overrun } = sendChunk(job.fd, job, from, to, job.sequence, buffer);
    const took = performance.now() - begin;
    if (overrun) throw new SystemError("recv netlink", ERRNO.ENOBUFS);
    if (refusals.size > 0) return report({ kind: "done", tried: to, refusals });
    report({ kind: "progress", tried: to });
    size = Math.round(Math.min(LARGEST, Math.max(SMALLEST, ((to - from) * PATIENCE) / took)));
    from = to;
  }
  report({ kind: "done", tried: count, refusals: new Map() });
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
