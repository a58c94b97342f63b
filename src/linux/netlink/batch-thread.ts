/** A thread that sends batches (batch-worker.ts), seen from the thread that started it. */
import { Worker } from "node:worker_threads";
import { SystemError } from "../errno.ts";
import type { BatchJob, BatchReport } from "./batch-worker.ts";
import type { Step } from "./chunk.ts";

/** One thread. It does not keep the process from ending, but a batch under way does. */
export class BatchThread {
  readonly #worker: Worker;
  readonly #started: Promise<void>;
  #ready = false;

  constructor() {
    // Flags that are about the process's own program, such as --input-type, would keep the worker from starting.
    this.#worker = new Worker(new URL("./batch-worker.ts", import.meta.url), { name: "rtnetlink", execArgv: [] });
    this.#worker.unref();
    // Who waits is told of errors and of the end; for everybody else a thread that is not there is just never ready.
    this.#worker
      .on("error", () => undefined)
      .on("exit", () => {
        this.#ready = false;
      });
    this.#started = this.#comeUp();
    this.#started.catch(() => undefined);
  }

  async #comeUp(): Promise<void> {
    await this.#until((report) => report.kind === "ready" || undefined);
    this.#ready = true;
  }

  /** Whether it has come up: what is handed to it is sent at once. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Waits until it has come up. */
  async started(): Promise<void> {
    await this.#kept(this.#started);
  }

  /**
   * Sends the rest of a batch, one after the other: wait for the outcome before the next.
   *
   * @param job is given away: its memory moves to the thread
   * @throws SystemError when sending itself fails
   */
  send(job: BatchJob, progress?: (tried: number) => void): Promise<Step> {
    const outcome = this.#until((report) => {
      if (report.kind === "progress") progress?.(report.tried);
      if (report.kind === "failed") throw new SystemError(report.syscall, report.errno);
      return report.kind === "done" ? report : undefined;
    });
    this.#worker.postMessage(job, [job.bytes.buffer, job.starts.buffer]);
    return this.#kept(outcome);
  }

  /** Keeps the process while somebody waits. */
  async #kept<T>(waited: Promise<T>): Promise<T> {
    this.#worker.ref();
    try {
      return await waited;
    } finally {
      this.#worker.unref();
    }
  }

  /** Listens to the thread until one of its reports is the answer. */
  async #until<T>(answer: (report: BatchReport) => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onExit = (code: number): void => reject(new Error(`The netlink worker ended with code ${code}`));
    const onMessage = (report: BatchReport): void => {
      try {
        const found = answer(report);
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    this.#worker.on("message", onMessage).once("error", reject).once("exit", onExit);
    try {
      return await promise;
    } finally {
      this.#worker.off("message", onMessage).off("error", reject).off("exit", onExit);
    }
  }

  /** Ends it, after the chunk it is at. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
