/**
 * The dispatcher as a whole: programs and links on one machine, by fetch, plan and apply. Whatever changes something takes
 * the lock, brings store and kernel together if a run died before, and then does its own plan.
 */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { Bindings } from "../core/binding.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf, type Problem, problem } from "../core/errors.ts";
import { execute } from "../core/executor.ts";
import { logger } from "../core/log.ts";
import type { Plan } from "../core/plan.ts";
import { ensureBpffs } from "../linux/bpf/pin.ts";
import { bootId } from "../linux/boot.ts";
import type { Fd } from "../linux/fd.ts";
import { waitForLock } from "../linux/lock.ts";
import type { Paths } from "../linux/paths.ts";
import { guard, openStore } from "../store/db.ts";
import { DISPATCHER_ACTIONS, type DispatcherAction } from "./actions.ts";
import { probeEngine } from "./engines/probe.ts";
import type { FaultPoint, KernelContext } from "./executors/context.ts";
import { KernelExecutor } from "./executors/kernel.ts";
import { fetchSnapshot, type WantedChain, type WantedHook } from "./fetch.ts";
import type { EngineName, State } from "./model.ts";
import { Namespaces } from "./namespaces.ts";
import type { Snapshot } from "./observed.ts";
import { type Healing, planHeal } from "./plan/heal.ts";
import { assemble, type Segment } from "./plan/segment.ts";
import { EMPTY_STATE } from "./state/empty.ts";
import { readState } from "./state/read.ts";

/** Where and how the dispatcher works. */
export interface DispatcherPlace {
  readonly paths: Paths;
  readonly clock: Clock;
  /** Milliseconds to wait for the lock; 0 waits for ever. Default 30 s. */
  readonly lockTimeout?: number;
  /** The engine of dispatchers that have none yet; found out by a probe when left out. */
  readonly engine?: EngineName;
  /** For tests: called at named points of the way. */
  readonly fault?: FaultPoint;
}

/** What planners of a change are given. */
export interface ChangeInputs {
  readonly snapshot: Snapshot;
  readonly engine: EngineName;
  /** RFC 3339. */
  readonly now: string;
}

/** How a change is to be made. */
export interface ChangeOptions {
  /** Hooks that the change is about, and chains of TCX. */
  readonly hooks?: readonly WantedHook[];
  readonly chains?: readonly WantedChain[];
  /** Object files by their SHA-256. */
  readonly images?: ReadonlyMap<string, Uint8Array>;
  /** Only plan, do nothing. */
  readonly dryRun?: boolean;
}

/** What came of a change. */
export interface Change {
  readonly plan: Plan<DispatcherAction>;
  readonly bindings: Bindings;
  /** The state after it; before it for a dry run. */
  readonly state: State;
  /** What was worth telling, healing among it. */
  readonly warnings: readonly Problem[];
}

/** What healing did. */
interface Healed {
  readonly plan: Plan<DispatcherAction>;
  /** The same in words. */
  readonly what: string;
  /** What could not be mended. */
  readonly warnings: readonly Problem[];
}

const log = logger("dispatcher");

const allOf = ({ dispatchers, rest }: Healing): Segment[] => [...dispatchers, ...rest];

const textOf = ({ actions }: Plan<DispatcherAction>): string =>
  actions
    .filter(({ kind }) => kind !== "store.commit")
    .map((action) => `${DISPATCHER_ACTIONS.sign(action)} ${DISPATCHER_ACTIONS.describe(action)}`)
    .join("; ") || "rows of the store";

const warningsOf = ({ warnings }: KernelContext): Problem[] =>
  warnings.map((reason) => problem("DISPATCHER_LEFTOVER", { reason }));

/** Programs and links on one machine. Holds namespaces, and the store once it is needed; dispose it. */
export class Dispatcher implements Disposable {
  readonly place: DispatcherPlace;
  readonly #owned = new DisposableStack();
  readonly namespaces: Namespaces;
  #db: DatabaseSync | undefined;

  constructor(place: DispatcherPlace) {
    this.place = place;
    this.namespaces = this.#owned.use(new Namespaces());
  }

  /** What the store holds; nothing when there is no store yet. @throws SluiceError STORE */
  state(): State {
    const file = this.place.paths.state;
    if (!existsSync(file)) return EMPTY_STATE;
    return guard(file, () => readState(this.#open(), bootId()));
  }

  /** Reads everything; changes nothing. */
  snapshot(options: Pick<ChangeOptions, "hooks" | "chains"> = {}): Snapshot {
    const { pins } = this.place.paths;
    return fetchSnapshot({ pins, state: this.state(), namespaces: this.namespaces, ...options });
  }

  /** Keeps other processes from changing this machine until it is disposed. @throws SluiceError LOCK_TIMEOUT */
  lock(): Promise<Fd> {
    return waitForLock(this.place.paths.lock, this.place.lockTimeout);
  }

  /**
   * Makes a change under the lock.
   *
   * @throws SluiceError whatever `make` refuses, then nothing was done; APPLY_ROLLED_BACK and others, then what was done
   * was taken back
   */
  async change(make: (inputs: ChangeInputs) => readonly Segment[], options: ChangeOptions = {}): Promise<Change> {
    if (options.dryRun) return this.#plan(make, options);
    using _lock = await this.lock();
    return await this.changeLocked(make, options);
  }

  /** The same for a caller who holds the lock. */
  async changeLocked(make: (inputs: ChangeInputs) => readonly Segment[], options: ChangeOptions = {}): Promise<Change> {
    const healed = await this.#heal(options);
    const inputs = this.#inputs(options);
    const plan = assemble(make(inputs));
    const context = this.#context(options.images);
    await this.#execute(plan, context);
    const told = healed.plan.actions.length > 0 ? [problem("DISPATCHER_HEALED", { what: healed.what })] : [];
    const warnings = [...told, ...healed.warnings, ...plan.warnings, ...warningsOf(context)];
    return { plan, bindings: context.bindings, state: this.state(), warnings };
  }

  /** Brings store, kernel and pins together: what `sluice gc` does. What could not be mended is among the warnings. */
  async heal(options: Pick<ChangeOptions, "dryRun"> = {}): Promise<Change> {
    if (options.dryRun) return this.#planned(assemble(allOf(planHeal(this.#inputs({})))));
    using _lock = await this.lock();
    const { plan, warnings } = await this.#heal({});
    return { plan, bindings: new Bindings(), state: this.state(), warnings };
  }

  [Symbol.dispose](): void {
    this.#db?.close();
    this.#db = undefined;
    this.#owned.dispose();
  }

  /** A plan that is only shown; what would be healed before it is told. */
  #plan(make: (inputs: ChangeInputs) => readonly Segment[], options: ChangeOptions): Change {
    const inputs = this.#inputs(options);
    const healing = assemble(allOf(planHeal(inputs)));
    const change = this.#planned(assemble(make(inputs)));
    if (healing.actions.length === 0) return change;
    return { ...change, warnings: [problem("DISPATCHER_HEALS", { what: textOf(healing) }), ...change.warnings] };
  }

  #planned(plan: Plan<DispatcherAction>): Change {
    return { plan, bindings: new Bindings(), state: this.state(), warnings: plan.warnings };
  }

  /**
   * Heals dispatcher by dispatcher, then the rest if all could be mended. What cannot be mended is told and keeps no
   * change elsewhere from being made.
   */
  async #heal(options: ChangeOptions): Promise<Healed> {
    const healing = planHeal(this.#inputs(options));
    const actions: DispatcherAction[] = [];
    const warnings: Problem[] = [];
    const attempt = async (segments: readonly Segment[]): Promise<boolean> => {
      const plan = assemble(segments);
      const context = this.#context();
      try {
        await this.#execute(plan, context);
      } catch (error) {
        warnings.push(problem("DISPATCHER_UNHEALED", { what: textOf(plan), reason: messageOf(error) }));
        return false;
      }
      actions.push(...plan.actions);
      warnings.push(...warningsOf(context));
      return true;
    };
    let whole = true;
    for (const dispatcher of healing.dispatchers) whole = (await attempt([dispatcher])) && whole;
    if (whole) await attempt(healing.rest);
    const plan = { actions, warnings: [] };
    return { plan, what: textOf(plan), warnings };
  }

  #inputs(options: ChangeOptions): ChangeInputs {
    const engine = this.place.engine ?? probeEngine().engine;
    return { snapshot: this.snapshot(options), engine, now: new Date(this.place.clock.now()).toISOString() };
  }

  #context(images: ReadonlyMap<string, Uint8Array> = new Map()): KernelContext {
    return {
      pins: this.place.paths.pins,
      db: () => this.#open(),
      boot: bootId(),
      namespaces: this.namespaces,
      bindings: new Bindings(),
      images: new Map(images),
      loaded: new Map(),
      warnings: [],
      fault: this.place.fault ?? (() => undefined),
    };
  }

  async #execute(plan: Plan<DispatcherAction>, context: KernelContext): Promise<void> {
    if (plan.actions.length === 0) return;
    const file = this.place.paths.state;
    // A store that cannot be written is found out before the kernel is touched.
    guard(file, () => this.#open().exec("BEGIN IMMEDIATE; ROLLBACK"));
    ensureBpffs(this.place.paths.pins);
    for (const action of plan.actions) log.debug("{action}", { action: DISPATCHER_ACTIONS.describe(action) });
    await execute(plan, DISPATCHER_ACTIONS, new KernelExecutor(context), { plainCause: true });
  }

  #open(): DatabaseSync {
    this.#db ??= openStore(this.place.paths.state);
    return this.#db;
  }
}
