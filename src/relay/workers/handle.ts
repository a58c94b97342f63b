/** A worker in as many lives as it takes: what it should do outlives each of them. */
import { messageOf } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import { Backoff, type BackoffSteps } from "../../linux/script/backoff.ts";
import { SharedMemory } from "../../linux/shared-memory.ts";
import type { RingStatistics } from "../../linux/packet/ring-statistics.ts";
import { type PlaneRule, REASONS } from "../model.ts";
import { type Cells, cellsFor, RING_COUNTERS } from "../worker/cells.ts";
import type { FinalReport, TracedPacket } from "../worker/message-codec.ts";
import { type Launched, type LaunchOptions, launchWorker } from "./launch.ts";
import { type Complaint, WorkerLog } from "./log.ts";
import { Life, LIFE_LIMITS, type LifeLimits } from "./life.ts";
import type { RingProvision } from "./rings.ts";
import type { SocketProvision } from "./sockets.ts";
import { systemTimers, type Timers } from "./timers.ts";

/** ms. */
const BACKOFF: BackoffSteps = { first: 250, most: 16_000, healthy: 10_000 };
/** A life that never ran gives the next one twice as long, as often as this: perhaps it was not stuck, but slow. */
const MOST_PATIENCE = 4;

/** How a worker is. */
export interface WorkerStatus {
  readonly state: "starting" | "running" | "restarting" | "stopping";
  readonly pid?: number;
  /** What it last failed with, as half a sentence. */
  readonly reason?: string;
  readonly restarts: number;
  /** Until it is started again, ms. */
  readonly backoff?: number;
}

/** What a worker is made of. */
export interface RelayWorkerOptions {
  /** The interface; for people. */
  readonly name: string;
  /** How many slots there are for counters. */
  readonly slots: number;
  readonly cpus?: readonly number[];
  /** The rings that it should have now: opened for each life, and when {@link RelayWorker.useRings} says that there are others. */
  readonly rings: () => readonly RingProvision[];
  /** Sockets for a rule's outputs, one for each, in their order. */
  readonly provide: (rule: PlaneRule) => readonly SocketProvision[];
  /** A ring receives nothing any more: {@link RelayWorker.useRings} when its interface is back. */
  readonly dead?: () => void;
  /** The status is another one. */
  readonly changed?: () => void;
  readonly timers?: Timers;
  readonly limits?: Partial<LifeLimits>;
  /** For tests. */
  readonly launch?: (options: LaunchOptions) => Launched;
}

const log = logger("relay", "worker");

/** The worker of an interface. Nothing here waits longer for it than the limits allow. */
export class RelayWorker implements AsyncDisposable {
  /** Where its counters are: {@link counters}. */
  readonly cells: Cells;
  readonly #options: RelayWorkerOptions;
  readonly #timers: Timers;
  readonly #memory: SharedMemory;
  readonly #backoff = new Backoff(BACKOFF);
  readonly #rules = new Map<string, PlaneRule>();
  #life: Life | undefined;
  #state: WorkerStatus["state"] = "starting";
  #reason: string | undefined;
  #restarts = 0;
  /** Lives in a row that ended before they ran. */
  #unborn = 0;
  #wakesAt: number | undefined;
  #wake: (() => void) | undefined;
  #work: Promise<void> | undefined;
  #final: Promise<FinalReport | undefined> | undefined;
  #ranAt: number | undefined;

  /** Not started yet. @throws SystemError */
  constructor(options: RelayWorkerOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.cells = cellsFor(options.slots);
    this.#memory = SharedMemory.create(`sluice-relay-${options.name}`, this.cells.length);
  }

  /** Counted by all lives, at {@link cells}; empty after this was disposed of. */
  get counters(): Float64Array {
    return this.#memory.numbers;
  }

  /** How it is now. */
  get status(): WorkerStatus {
    const { pid } = this.#life ?? {};
    const wakesAt = this.#wakesAt;
    return {
      state: this.#state,
      restarts: this.#restarts,
      ...(pid !== undefined && { pid }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(wakesAt !== undefined && { backoff: Math.max(0, wakesAt - this.#timers.now()) }),
    };
  }

  /** Starts it, and again whenever it ends. */
  start(): void {
    if (this.#state !== "stopping") this.#work ??= this.#run();
  }

  /** Sets a rule, in place of the one with its id. {@link sync} tells when the worker has it. */
  setRule(rule: PlaneRule): void {
    this.#rules.set(rule.id, rule);
    this.#life?.changed(rule.id);
  }

  /** Removes a rule; nothing happens when there is none. */
  removeRule(id: string): void {
    if (this.#rules.delete(id)) this.#life?.changed(id);
  }

  /** Waits until the worker has all rules as they are now. @returns false when it is not there: it gets them at its next start */
  sync(): Promise<boolean> {
    return this.#life?.sync() ?? Promise.resolve(false);
  }

  /** The last packets that came in for a rule; none when the worker does not answer. */
  trace(id: string, most: number): Promise<readonly TracedPacket[]> {
    return this.#life?.trace(id, most) ?? Promise.resolve([]);
  }

  /**
   * Goes over to the rings that are wanted now; those that were wanted before go on untouched. If it waits to be started again
   * it does so now.
   *
   * @param anew whether those that it has are dead, and the interface is back
   */
  useRings(anew: boolean): void {
    this.#wake?.();
    this.#life?.useRings(anew);
  }

  #become(state: WorkerStatus["state"]): void {
    if (this.#state === "stopping") return;
    this.#state = state;
    this.#options.changed?.();
  }

  #begin(words: WorkerLog): Life {
    const { name, slots, cpus, rings, provide, dead, limits, launch = launchWorker } = this.#options;
    const said = (line: string): void => words.take(line);
    const patience = 2 ** Math.min(this.#unborn, MOST_PATIENCE);
    const { start, answer, ...others } = { ...LIFE_LIMITS, ...limits };
    return new Life({
      name,
      timers: this.#timers,
      limits: { ...others, start: patience * start, answer: patience * answer },
      rules: this.#rules,
      rings,
      provide,
      launch: () => launch({ name, memory: this.#memory, slots, cpus, said }),
      beat: () => this.#memory.numbers[this.cells.beat] ?? 0,
      left: (counts) => this.#countLeft(counts),
      running: () => {
        this.#ranAt = this.#timers.now();
        this.#become("running");
      },
      dead: () => dead?.(),
    });
  }

  /** Lives, one after the other. */
  async #run(): Promise<void> {
    const { name } = this.#options;
    for (; this.#state !== "stopping"; this.#restarts += 1) {
      const words = new WorkerLog(name);
      this.#ranAt = undefined;
      this.#become("starting");
      try {
        this.#life = this.#begin(words);
        this.#reason = withWords(await this.#life.ended, words.complaint);
        this.#unborn = this.#ranAt === undefined ? this.#unborn + 1 : 0;
      } catch (error) {
        this.#reason = messageOf(error);
      }
      this.#life = undefined;
      if (this.#isStopping()) return;
      const uptime = this.#ranAt === undefined ? 0 : this.#timers.now() - this.#ranAt;
      const wait = this.#backoff.next(uptime);
      log.error("{name}: the worker is started again in {wait} ms: {reason}", { name, wait, reason: this.#reason });
      await this.#pause(wait);
    }
  }

  /** Whatever came by a ring was dropped there, or taken by the worker, or is lost with it. */
  #countLeft(counts: readonly RingStatistics[]): void {
    const { numbers } = this.#memory;
    const { ring, taken, reasons } = this.cells;
    for (const each of counts)
      for (const [index, name] of RING_COUNTERS.entries()) numbers[ring + index]! += each[name];
    const [packets, drops] = [RING_COUNTERS.indexOf("packets"), RING_COUNTERS.indexOf("drops")];
    const unread = numbers[ring + packets]! - numbers[ring + drops]! - numbers[taken]!;
    const at = reasons + REASONS.indexOf("unread");
    numbers[at] = Math.max(numbers[at]!, unread);
  }

  #isStopping(): boolean {
    return this.#state === "stopping";
  }

  async #pause(ms: number): Promise<void> {
    this.#wakesAt = this.#timers.now() + ms;
    this.#become("restarting");
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#timers.after(ms, resolve);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    this.#wakesAt = undefined;
  }

  /** Ends it for good, once it has sent what it still had to send. @returns what it did in its last life, when it could say so */
  stop(): Promise<FinalReport | undefined> {
    this.#become("stopping");
    this.#final ??= this.#stop();
    return this.#final;
  }

  async #stop(): Promise<FinalReport | undefined> {
    this.#wake?.();
    const final = await this.#life?.stop();
    await this.#work;
    return final;
  }

  /** Stops it, and gives back its memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#memory[Symbol.dispose]();
  }
}

/** How it ended, with what it complained of before. */
const withWords = (how: string, complaint: Complaint): string =>
  complaint === undefined ? how : `${how}: ${complaint}`;
