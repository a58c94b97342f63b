/** The shaper as a whole: fetch, plan, apply on one machine, with the store that keeps ids. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { TcHost } from "../core/tc-place.ts";
import { SluiceError } from "../core/errors.ts";
import { type ExecuteOptions, type Executor, execute } from "../core/executor.ts";
import { logger } from "../core/log.ts";
import { formatSummary, type Plan, summarize } from "../core/plan.ts";
import { waitForLock } from "../linux/lock.ts";
import { BatchSender } from "../linux/netlink/batch.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";
import { type Netns, openNetns } from "../linux/netns.ts";
import type { Paths } from "../linux/paths.ts";
import { Sysfs } from "../linux/sysfs.ts";
import { TcRunner } from "../linux/tc/runner.ts";
import { guard, openStore } from "../store/db.ts";
import { SHAPER_ACTIONS, type ShaperAction } from "./actions.ts";
import type { Allocation } from "./allocation.ts";
import { type Built, buildShaper } from "./build.ts";
import { Classifier } from "./classifier.ts";
import { FileExecutor } from "./executors/file.ts";
import { NetlinkExecutor } from "./executors/netlink.ts";
import { TcBatchExecutor } from "./executors/tc-batch.ts";
import { fetchShaper, findDevices, readFacts } from "./fetch.ts";
import { type LiveRate, type LiveRates, withLiveRates } from "./live-rates.ts";
import { checkMemory } from "./memory.ts";
import type { Facts, Isp, Link, Observed, ShaperConfig } from "./model.ts";
import { planCleanup, planShaper, type PlanOptions } from "./plan.ts";
import { type Sites, sitesOf } from "./sites.ts";
import { readSlots, writeSlots } from "./slots.ts";
import { forgetSteering, readSteering, saveSteering } from "./steering-store.ts";

/** Where the shaper works. */
export interface ShaperPlace {
  readonly paths: Paths;
  /** Name or path of the network namespace of the interfaces; this process's own when left out. */
  readonly netns?: string;
  /** Opens the place of the classifier on the interfaces' egress side. */
  readonly egress: () => TcHost;
  /** Rates that hold instead of planned ones; told which tree is in the kernel. */
  readonly live?: LiveRates;
}

/** How a plan is carried out: rtnetlink, `tc -batch`, or written to a file and not done at all. */
export type ExecutorChoice =
  | { readonly kind: "netlink" | "tc" }
  /** `comments` keeps what tc cannot do as comments in the file. */
  | { readonly kind: "file"; readonly path: string; readonly comments: boolean };

/** Options of {@link Shaper.plan}. */
export interface ShapeOptions extends PlanOptions {
  /** Places everything anew on the queues instead of leaving it where it is. */
  readonly rebalance?: boolean;
}

/** What a plan is made from besides the files. */
export interface MachineState {
  readonly facts: Facts;
  readonly observed: Observed;
  /** The allocation that the store holds now. */
  readonly prior: Allocation;
  /** Rates that hold instead of planned ones; undefined where nobody drives any. */
  readonly live?: readonly LiveRate[];
}

/** A plan as a dialect makes it. */
export interface DialectPlan extends Plan<ShaperAction> {
  /** What the store shall hold when it is carried out. */
  readonly allocation: Allocation;
  /** Where the nodes stand; only when somebody may drive them. */
  readonly sites?: Sites;
}

/** A plan with what it was made from. */
export type ShaperPlan = DialectPlan & MachineState;

/** A plan in sluice's own dialect, with the tree that it builds. */
export type TreePlan = ShaperPlan & { readonly built: Built };

const log = logger("shaper");

/** One link on one machine. Holds a netlink socket and a sysfs; dispose it. */
export class Shaper implements Disposable {
  readonly #place: ShaperPlace;
  readonly #owned: DisposableStack;
  readonly #netns: Netns | undefined;
  readonly #sysfs: Sysfs;
  /** The link's devices, as they were when it was opened. */
  readonly devices: readonly LinkRecord[];
  readonly socket: RtnlSocket;
  readonly classifier: Classifier;

  private constructor(place: ShaperPlace, link: Link, owned: DisposableStack) {
    this.#place = place;
    this.#netns = place.netns === undefined ? undefined : owned.use(openNetns(place.netns));
    this.socket = owned.use(RtnlSocket.open(this.#netns));
    this.devices = findDevices(this.socket, link);
    this.#sysfs = owned.use(Sysfs.open(this.#netns));
    const egress = owned.use(place.egress());
    this.classifier = owned.use(new Classifier({ pins: `${place.paths.pins}/shaper`, socket: this.socket, egress }));
    this.#owned = owned.move();
  }

  /** @throws SluiceError INTERFACE_MISSING, NETNS_MISSING */
  static open(place: ShaperPlace, link: Link): Shaper {
    using owned = new DisposableStack();
    return new Shaper(place, link, owned);
  }

  /** Reads the kernel. */
  fetch(): Observed {
    return fetchShaper(this.socket, this.classifier, this.#sysfs, this.devices);
  }

  /** Works out what would change. Changes nothing. @throws SluiceError with everything that stands against it */
  plan(isp: Isp, config: ShaperConfig, options: ShapeOptions = {}): TreePlan {
    return this.planAs((machine) => {
      const built = buildShaper({ isp, config, ...machine, rebalance: options.rebalance ?? false });
      const { warnings, allocation } = built;
      const sites = machine.live && sitesOf(config, machine.facts, built);
      const desired = sites ? withLiveRates(built.desired, sites, machine.live) : built.desired;
      const { actions } = planShaper(desired, machine.observed, options);
      return { actions, warnings, allocation, built, ...(sites && { sites }) };
    });
  }

  /** The same for a dialect that makes plans by rules of its own. */
  planAs<P extends DialectPlan>(make: (machine: MachineState) => P): P & MachineState {
    const live = this.#place.live && { live: this.#place.live.rates };
    const state = { facts: readFacts(this.devices), observed: this.fetch(), prior: this.#readStore(readSlots) };
    const machine = { ...state, ...live };
    const plan = make(machine);
    const problems = checkMemory(plan.actions, machine.facts.memory);
    if (problems.length > 0) throw new SluiceError(problems);
    if (plan.actions.length === 0) this.#place.live?.stands(plan.sites);
    return { ...plan, ...machine };
  }

  /**
   * Carries a plan out. The ids it gives are stored first, beside the old ones, so that a run that dies half way is
   * continued with the same ids; the old ones are forgotten when all is done. A file's ids stay beside the old ones:
   * nobody knows whether it is ever run.
   */
  async apply(plan: ShaperPlan, executor: ExecutorChoice, options?: ExecuteOptions): Promise<void> {
    log.info("apply by {executor}: {summary}", {
      executor: executor.kind,
      summary: formatSummary(summarize(plan, SHAPER_ACTIONS)),
    });
    const { allocation } = plan;
    const both = new Map([...plan.prior, ...allocation]);
    this.#withStore((db) => {
      writeSlots(db, plan.prior, both);
      if (executor.kind !== "file") saveSteering(db, plan.actions);
    });
    await this.#execute(plan, executor, options);
    if (executor.kind === "file") return;
    this.#place.live?.stands(plan.sites);
    this.#withStore((db) => writeSlots(db, both, allocation));
  }

  /** What {@link removeAll} would do. `isOwn` as in {@link PlanOptions}. */
  planCleanup(isOwn?: PlanOptions["isOwn"]): Plan<ShaperAction> {
    const observed = fetchShaper(this.socket, this.classifier, this.#sysfs, this.#held());
    return planCleanup(observed, this.#readStore(readSteering), isOwn);
  }

  /**
   * Removes everything that sluice made on the link's devices, and on those that an earlier configuration left. Ids stay
   * in the store, so that a later apply uses them.
   */
  async removeAll(options?: ExecuteOptions, isOwn?: PlanOptions["isOwn"]): Promise<Plan<ShaperAction>> {
    const plan = this.planCleanup(isOwn);
    await this.#execute(plan, { kind: "netlink" }, options);
    this.#place.live?.stands(undefined);
    const restored = new Set(plan.actions.flatMap((action) => (action.kind === "steering.set" ? action.dev : [])));
    if (restored.size > 0) this.#withStore((db) => restored.forEach((name) => forgetSteering(db, name)));
    return plan;
  }

  /**
   * Keeps other processes from changing this machine until it is disposed.
   *
   * @param timeout milliseconds to wait for one that does now; 0 waits for ever
   * @throws SluiceError LOCK_TIMEOUT
   */
  lock(timeout?: number): Promise<Disposable> {
    return waitForLock(this.#place.paths.lock, timeout);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  async #execute(plan: Plan<ShaperAction>, choice: ExecutorChoice, options?: ExecuteOptions): Promise<void> {
    const ifindex = new Map(this.#held().map((device) => [device.name, device.ifindex]));
    using sender = new BatchSender(this.socket);
    const netlink = new NetlinkExecutor(sender, this.classifier, this.#sysfs, ifindex);
    const executor = this.#executor(choice, netlink);
    await execute(plan, SHAPER_ACTIONS, executor, {
      ...options,
      onProgress: (done, total) => {
        log.debug("{done} of {total} actions done", { done, total });
        options?.onProgress?.(done, total);
      },
    });
  }

  #executor(choice: ExecutorChoice, netlink: NetlinkExecutor): Executor<ShaperAction> {
    switch (choice.kind) {
      case "netlink":
        return netlink;
      case "tc":
        return new TcBatchExecutor(new TcRunner(this.#netns), netlink);
      case "file":
        return new FileExecutor(choice.path, choice.comments);
    }
  }

  /** The link's devices, and those that still classify by its table because an earlier configuration named them. */
  #held(): LinkRecord[] {
    return [...this.devices, ...this.classifier.elsewhere(this.devices)];
  }

  /** A plan must not make a database: without one, nothing was ever allocated. */
  #readStore<T>(read: (db: DatabaseSync) => ReadonlyMap<string, T>): ReadonlyMap<string, T> {
    return existsSync(this.#place.paths.state) ? this.#withStore(read) : new Map();
  }

  #withStore<T>(body: (db: DatabaseSync) => T): T {
    const { state } = this.#place.paths;
    using db = openStore(state);
    return guard(state, () => body(db));
  }
}
