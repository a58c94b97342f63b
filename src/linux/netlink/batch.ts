/**
 * Sending many messages without standing still. In a tree of 50,000 circuits one message takes the kernel some
 * milliseconds, all of them inside sendto(2), so large batches go through a worker thread, in small chunks: the event loop
 * stays alive, and between chunks others who wait for the kernel's RTNL lock (a routing daemon, `ip`) get their turn.
 */
import { Worker } from "node:worker_threads";
import { SystemError } from "../errno.ts";
import type { BatchJob, BatchReport } from "./batch-worker.ts";
import { refused, type Refusal, type RtnlError } from "./error.ts";
import { countOf, type EncodedBatch } from "./message.ts";
import type { RtnlSocket } from "./socket.ts";

/** Batches up to this size take less time than talking to the worker about them. */
const INLINE = 32;

/** What became of a batch: shorter than the batch when it was stopped, and then an error is among the last entries. */
export type Outcomes = readonly (RtnlError | undefined)[];

/** How a batch is sent. */
export interface SendOptions {
  /** Told after each chunk how many messages were tried. */
  readonly progress?: (tried: number) => void;
}

/**
 * Sends batches one after the other on a socket, which it borrows: while a large batch is under way the socket refuses
 * every other use. The worker starts with the first large batch, or when warmed.
 */
export class BatchSender implements Disposable, AsyncDisposable {
  readonly #socket: RtnlSocket;
  #worker: Worker | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(socket: RtnlSocket) {
    this.#socket = socket;
  }

  /** Starts the worker now, which takes some 50 ms, rather than when the first large batch waits for it. */
  warm(): void {
    if (this.#worker) return;
    // Flags that are about the process's own program, such as --input-type, would keep the worker from starting.
    const worker = new Worker(new URL("./batch-worker.ts", import.meta.url), { name: "rtnetlink", execArgv: [] });
    worker.unref();
    this.#worker = worker;
  }

  /**
   * Sends a batch in chunks of 16 to 64 messages and stops after the first chunk in which one was refused.
   *
   * @param batch is given away: its memory moves to the worker
   * @returns one outcome per message that was tried
   * @throws SystemError when sending itself fails
   */
  send(batch: EncodedBatch, options: SendOptions = {}): Promise<Outcomes> {
    if (this.#closed) return Promise.reject(new TypeError("Cannot send through a sender that was disposed"));
    const inline = countOf(batch) <= INLINE;
    if (!inline) this.warm();
    const result = this.#queue.then(() =>
      inline ? this.#sendInline(batch, options) : this.#sendByWorker(batch, options),
    );
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #sendInline(batch: EncodedBatch, { progress }: SendOptions): Outcomes {
    const outcomes = this.#socket.send(batch);
    progress?.(outcomes.length);
    return outcomes;
  }

  async #sendByWorker({ bytes, starts }: EncodedBatch, { progress }: SendOptions): Promise<Outcomes> {
    const worker = this.#worker!;
    using loan = this.#socket.lend(starts.length - 1);
    const job: BatchJob = { fd: loan.fd, sequence: loan.sequence, bytes, starts };
    const { promise, resolve, reject } = Promise.withResolvers<Outcomes>();
    const onExit = (code: number): void => reject(new Error(`The netlink worker ended with code ${code}`));
    const onMessage = (report: BatchReport): void => {
      if (report.kind === "progress") progress?.(report.tried);
      else if (report.kind === "done") resolve(outcomesOf(report.tried, report.refusals));
      else reject(new SystemError(report.syscall, report.errno));
    };
    worker.on("message", onMessage).once("error", reject).once("exit", onExit);
    // While somebody waits for the outcome the process must not end; before and after, the worker must not keep it.
    worker.ref();
    worker.postMessage(job, [bytes.buffer, starts.buffer]);
    try {
      return await promise;
    } finally {
      worker.off("message", onMessage).off("error", reject).off("exit", onExit);
      worker.unref();
    }
  }

  /** Ends the worker. What is under way fails after its current chunk; better wait for it first. */
  [Symbol.dispose](): void {
    this.#closed = true;
    void this.#worker?.terminate();
  }

  /** Waits for what is under way, then ends the worker. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#queue;
    await this.#worker?.terminate();
  }
}

function outcomesOf(tried: number, refusals: ReadonlyMap<number, Refusal>): Outcomes {
  return Array.from({ length: tried }, (_, index) => {
    const refusal = refusals.get(index);
    return refusal && refused(refusal);
  });
}
