/**
 * Sending many messages without standing still. The kernel works on a message inside sendto(2), from microseconds each
 * to milliseconds in a tree of 50,000 circuits, so a batch is sent in chunks. The first ones go from here, each as many as
 * take some milliseconds, with a turn of the event loop after each: most batches are done before a thread would have
 * started. What takes longer goes on in a thread of its own, and the event loop is free.
 */
import { setImmediate } from "node:timers/promises";
import { BatchThread } from "./batch-thread.ts";
import { ANSWER_BUFFER, LARGEST_CHUNK, type Sending, sendStep, type Step } from "./chunk.ts";
import { refused, type RtnlError } from "./error.ts";
import { countOf, type EncodedBatch } from "./message.ts";
import type { RtnlSocket } from "./socket.ts";

/** So few messages take less time than talking to a thread about them. */
const FEW = 32;
/** So long the event loop may stand still at a time, in milliseconds. */
const SLICE = 5;
/** After so many milliseconds of sending from here a thread is started, which takes about as long again. */
const PATIENCE = 100;
const FIRST_CHUNK = 16;

/** What became of a batch: shorter than the batch when it was stopped, and then an error is among the last entries. */
export type Outcomes = readonly (RtnlError | undefined)[];

/** How a batch is sent. */
export interface SendOptions {
  /** Told after each chunk how many messages were tried. */
  readonly progress?: (tried: number) => void;
}

/**
 * Sends batches one after the other on a socket, which it borrows: while a batch is under way the socket refuses every
 * other use.
 */
export class BatchSender implements Disposable, AsyncDisposable {
  readonly #socket: RtnlSocket;
  readonly #buffer = new Uint8Array(ANSWER_BUFFER);
  #thread: BatchThread | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** Messages that take about {@link SLICE}, going by the last chunk. */
  #chunk = FIRST_CHUNK;
  /** Milliseconds of sending from here so far. */
  #spent = 0;
  #closed = false;

  constructor(socket: RtnlSocket) {
    this.#socket = socket;
  }

  /** Starts the thread now, some 50 to 100 ms, and waits for it; all but small batches are then sent by it from the start. */
  async warm(): Promise<void> {
    await this.#start().started();
  }

  /**
   * Sends a batch in chunks of at most 64 messages and stops after the first chunk in which one was refused.
   *
   * @param batch is given away: its memory may move to the thread
   * @returns one outcome per message that was tried
   * @throws SystemError when sending itself fails
   */
  send(batch: EncodedBatch, options: SendOptions = {}): Promise<Outcomes> {
    const result = this.#queue.then(async () => outcomesOf(await this.#send(batch, options)));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #send(batch: EncodedBatch, { progress }: SendOptions): Promise<Step> {
    const count = countOf(batch);
    using loan = this.#socket.lend(count);
    const job = { ...batch, fd: loan.fd, sequence: loan.sequence };
    for (let from = 0; ;) {
      if (this.#closed) throw new TypeError("Cannot send through a sender that was disposed");
      if (this.#thread?.ready && count - from > FEW) return await this.#thread.send({ ...job, from }, progress);
      const step = this.#sendHere(job, from);
      if (step.refusals.size === 0) progress?.(step.tried);
      if (step.refusals.size > 0 || step.tried === count) return step;
      from = step.tried;
      await setImmediate();
    }
  }

  #sendHere(batch: Sending, from: number): Step {
    const begin = performance.now();
    const step = sendStep(batch, from, this.#chunk, this.#buffer);
    const took = performance.now() - begin;
    this.#chunk = Math.min(LARGEST_CHUNK, Math.max(1, Math.floor(((step.tried - from) * SLICE) / took)));
    this.#spent += took;
    if (this.#spent > PATIENCE) this.#start();
    return step;
  }

  #start(): BatchThread {
    return (this.#thread ??= new BatchThread());
  }

  /** Ends the thread. What is under way fails after its current chunk; better wait for it first. */
  [Symbol.dispose](): void {
    this.#closed = true;
    void this.#thread?.end();
  }

  /** Waits for what is under way, then ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    this.#closed = true;
    await this.#thread?.end();
  }
}

function outcomesOf({ tried, refusals }: Step): Outcomes {
  return Array.from({ length: tried }, (_, index) => {
    const refusal = refusals.get(index);
    return refusal && refused(refusal);
  });
}
