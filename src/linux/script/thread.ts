/**
 * A thread that runs what must not hold up the event loop, such as a user's script: every request has a deadline, and a
 * thread that misses it, or dies, is ended and started again with its configuration. Until it is there again, requests fail
 * at once.
 */
import { messageOf } from "../../core/errors.ts";
import { type BackoffSteps, Backoff } from "./backoff.ts";
import { ScriptFault } from "./fault.ts";
import { Life, type LifeOptions } from "./life.ts";

/** Told when a thread is lost, and when there is one again. */
export type ScriptEvent =
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "back"; readonly reason: string };

/** What a thread is made of. Times in milliseconds. */
export interface ScriptThreadOptions<Configuration> extends LifeOptions {
  /** Made anew for each start; survives structured cloning. */
  readonly configuration: () => Configuration;
  /** For an answer. */
  readonly deadline: number;
  /** For a start. */
  readonly startDeadline: number;
  readonly backoff?: BackoffSteps;
  readonly told?: (event: ScriptEvent) => void;
}

const BACKOFF: BackoffSteps = { first: 250, most: 30_000, healthy: 60_000 };

/** The thread, in as many lives as it takes. */
export class ScriptThread<Configuration, Request, Answer, Greeting> implements AsyncDisposable {
  readonly #options: ScriptThreadOptions<Configuration>;
  readonly #backoff: Backoff;
  /** Answers requests, once it has greeted. */
  #life: Life<Request, Answer, Greeting> | undefined;
  /** Is being started. */
  #candidate: Life<Request, Answer, Greeting> | undefined;
  #greeting: Greeting | undefined;
  #why = "";
  #revival: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  private constructor(options: ScriptThreadOptions<Configuration>) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? BACKOFF);
  }

  /** Starts one, and waits until it is there. @throws ScriptFault and it is not tried again; the system's error when it has no thread left */
  static async start<Configuration, Request, Answer, Greeting>(
    options: ScriptThreadOptions<Configuration>,
  ): Promise<ScriptThread<Configuration, Request, Answer, Greeting>> {
    const thread = new ScriptThread<Configuration, Request, Answer, Greeting>(options);
    await thread.#begin();
    return thread;
  }

  /** Whether requests can be answered now. */
  get there(): boolean {
    return this.#life !== undefined;
  }

  /** What the last start was greeted with. */
  get greeting(): Greeting {
    return this.#greeting as Greeting;
  }

  async #begin(): Promise<void> {
    const life = new Life<Request, Answer, Greeting>(this.#options, this.#options.configuration(), (fault) =>
      this.#lost(life, fault),
    );
    this.#candidate = life;
    try {
      this.#greeting = await life.started(this.#options.startDeadline);
      if (!this.#closed) this.#life = life;
    } catch (error) {
      await life.end();
      throw error;
    } finally {
      this.#candidate = undefined;
    }
  }

  #lost(life: Life<Request, Answer, Greeting>, fault: ScriptFault): void {
    if (life !== this.#life || this.#closed) return;
    this.#life = undefined;
    this.#why = fault.message;
    this.#options.told?.({ kind: "lost", reason: fault.message });
    this.#revival = this.#revive(life);
  }

  async #revive(lost: Life<Request, Answer, Greeting>): Promise<void> {
    // Two of them at a time would take twice the processor.
    await lost.end();
    for (let uptime = performance.now() - lost.since; ; uptime = 0) {
      await this.#pause(this.#backoff.next(uptime));
      if (this.#closed) return;
      try {
        await this.#begin();
      } catch (error) {
        this.#why = messageOf(error);
        continue;
      }
      if (this.#life) this.#options.told?.({ kind: "back", reason: this.#why });
      return;
    }
  }

  /** Waits, but not past the end, and without keeping the process. */
  async #pause(ms: number): Promise<void> {
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  /** Asks, one request at a time; never takes longer than the deadline. @throws ScriptFault */
  async call(request: Request): Promise<Answer> {
    if (this.#closed) throw new ScriptFault("closed", "it was ended");
    if (!this.#life) throw new ScriptFault("away", `it is being started again: ${this.#why}`);
    return this.#life.call(request, this.#options.deadline);
  }

  /** Ends it for good, whatever it is at. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    const life = this.#life;
    this.#life = undefined;
    await Promise.all([life?.end(), this.#candidate?.end()]);
    await this.#revival;
  }
}
