/** Parts of the daemon, each with a life of its own: one that fails is started again, later each time, and no other notices. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Journal } from "./journal.ts";

/** A part. */
export interface Part {
  readonly name: string;
  /** Lives until it is aborted; whatever it throws, or its end before, is a failure. */
  run(signal: AbortSignal): Promise<void>;
}

/** Ends a part that was started, and waits for it. */
export type Stop = () => Promise<void>;

/** How a part is. */
export interface PartState {
  readonly name: string;
  readonly state: "running" | "waiting" | "stopped";
  readonly restarts: number;
  readonly reason?: string;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 16_000;
/** Whoever has lived so long has recovered: the waits begin anew. */
const RECOVERED = 60_000;
/** Failures in a row that are worth a condition. */
const CONDITION_AFTER = 3;

/** Waits, but not beyond an abort. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal, ref: true }).catch(() => undefined);

/** The supervisor. */
export class Supervisor {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #wait: typeof pause;
  readonly #states = new Map<string, PartState>();
  readonly #lives = new Set<Promise<void>>();
  readonly #controller = new AbortController();

  constructor(journal: Journal, clock: Clock, wait: typeof pause = pause) {
    this.#journal = journal;
    this.#clock = clock;
    this.#wait = wait;
  }

  /** Every part, in the order in which they were started. */
  get parts(): PartState[] {
    return [...this.#states.values()];
  }

  /** Starts a part, for as long as the daemon lives or until it is stopped; then it is forgotten. */
  start(part: Part): Stop {
    const own = new AbortController();
    const life = this.#live(part, AbortSignal.any([this.#controller.signal, own.signal]));
    this.#lives.add(life);
    return async () => {
      own.abort();
      await life;
      this.#lives.delete(life);
      this.#states.delete(part.name);
      this.#journal.health.clear("PART_FAILING", part.name);
    };
  }

  /** Ends all parts and waits for them. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await Promise.all(this.#lives);
  }

  async #live(part: Part, signal: AbortSignal): Promise<void> {
    const { name } = part;
    let restarts = 0;
    let inARow = 0;
    let reason: string | undefined;
    const say = (state: PartState["state"]): void =>
      void this.#states.set(name, { name, state, restarts, ...(reason !== undefined && { reason }) });
    while (!signal.aborted) {
      say("running");
      const started = this.#clock.monotonic();
      const well = setTimeout(() => this.#journal.health.clear("PART_FAILING", name), RECOVERED).unref();
      try {
        await part.run(signal);
        reason = "it ended by itself";
      } catch (error) {
        reason = messageOf(error);
      } finally {
        clearTimeout(well);
      }
      if (signal.aborted) break;
      restarts += 1;
      inARow = this.#clock.monotonic() - started >= RECOVERED ? 1 : inARow + 1;
      const wait = Math.min(FIRST_WAIT * 2 ** (inARow - 1), LONGEST_WAIT);
      say("waiting");
      this.#journal.record("part.failed", "warning", `${name} failed and is started again in ${wait} ms: ${reason}`, {
        part: name,
        restarts,
      });
      if (inARow >= CONDITION_AFTER) this.#journal.health.raise("PART_FAILING", { part: name, reason }, name);
      await this.#wait(wait, signal);
    }
    say("stopped");
  }
}
