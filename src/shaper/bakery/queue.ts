/** Commands one after the other, in the order in which they came, and never more waiting than a bound. */
import { sluiceError } from "../../core/errors.ts";
import type { BakeryCommand } from "./model.ts";

/** As many as LibreQoS's own channel takes. */
export const BOUND = 1024;

/** How a command is submitted. */
export interface Submission {
  /** False: it is answered when it has been queued, as LibreQoS does, and `failed` hears of what becomes of it. */
  readonly wait?: boolean;
}

/** What a queue is made of. */
export interface QueueOptions {
  /** Carries a command out; what it throws is the command's failure. */
  readonly carryOut: (command: BakeryCommand) => Promise<void>;
  /** Hears of failures that nobody waited for. */
  readonly failed: (command: BakeryCommand, error: unknown) => void;
  /** Commands that may wait, the one that is being carried out not counted. Default 1024. */
  readonly bound?: number;
}

/** The queue. */
export class BakeryQueue {
  readonly #options: QueueOptions;
  /** Those that wait, and the one that is being carried out. */
  #unanswered = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Commands that wait. */
  get waiting(): number {
    return Math.max(0, this.#unanswered - 1);
  }

  /**
   * Queues a command; resolves when it has been carried out.
   *
   * @throws SluiceError BAKERY_BUSY at once when the queue is full; whatever the command failed with
   */
  async submit(command: BakeryCommand, { wait = true }: Submission = {}): Promise<void> {
    const { failed, bound = BOUND } = this.#options;
    if (this.#unanswered > bound) throw sluiceError("BAKERY_BUSY", { waiting: this.waiting });
    const done = this.#carryOutAfter(this.#last, command);
    this.#last = done.catch(() => undefined);
    if (wait) return await done;
    done.catch((error: unknown) => failed(command, error));
  }

  async #carryOutAfter(ahead: Promise<void>, command: BakeryCommand): Promise<void> {
    this.#unanswered += 1;
    try {
      await ahead;
      await this.#options.carryOut(command);
    } finally {
      this.#unanswered -= 1;
    }
  }

  /** Resolves when all that was queued before has been carried out. */
  async drain(): Promise<void> {
    await this.#last;
  }
}
