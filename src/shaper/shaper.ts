/** The shaper as a whole: fetch, plan, apply on one machine, with the store that keeps ids. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { SluiceError, sluiceError } from "../core/errors.ts";
import { type ExecuteOptions, type Executor, execute } from "../core/executor.ts";
import { logger } from "../core/log.ts";
import { formatSummary, type Plan, summarize } from "../core/plan.ts";
import { SystemError } from "../linux/errno.ts";
import { takeLock } from "../linux/lock.ts";
import { BatchSender } from "../linux/netlink/batch.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";
import { Netns } from "../linux/netns.ts";
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
import { checkMemory } from "./memory.ts";
import type { Facts, Isp, Link, Observed, ShaperConfig } from "./model.ts";
import { planCleanup, planShaper, type PlanOptions } from "./plan.ts";
import { readSlots, writeSlots } from "./slots.ts";
import { forgetSteering, readSteering, saveSteering } from "./steering-store.ts";

/** Where the shaper works. */
export interface ShaperPlace {
  readonly paths: Paths;
  /** Name or path of the network namespace of the interfaces; this process's own when left out. */
  readonly netns?: string;
}

/** How a plan is carried out: rtnetlink, `tc -batch`, or written to a file and not done at all. */
export type ExecutorChoice = { readonly kind: "netlink" | "tc" } | { readonly kind: "file"; readonly path: string };

/** Options of {@link Shaper.plan}. */
export interface ShapeOptions extends PlanOptions {
  /** Places everything anew on the queues instead of leaving it where it is. */
  readonly rebalance?: boolean;
}

/** A plan with what it was made from. */
export interface ShaperPlan extends Plan<ShaperAction> {
  readonly built: Built;
  readonly observed: Observed;
  readonly facts: Facts;
  /** The allocation that the store holds now. */
  readonly prior: Allocation;
}

const log = logger("shaper");

function openNetns(name: string): Netns {
  try {
    return Netns.open(name);
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOENT") throw sluiceError("NETNS_MISSING", { name });
    throw error;
  }
}

/** One link on one machine. Holds a netlink socket; dispose it. */
export class Shaper implements Disposable {
  readonly #place: ShaperPlace;
  readonly #netns: Netns | undefined;
  readonly #devices: readonly LinkRecord[];
  readonly socket: RtnlSocket;
  readonly classifier: Classifier;
  readonly #sysfs: Sysfs;

  private constructor(place: ShaperPlace, netns: Netns | undefined, socket: RtnlSocket, link: Link) {
    this.#place = place;
    this.#netns = netns;
    this.socket = socket;
    this.#devices = findDevices(socket, link);
    this.#sysfs = Sysfs.open(netns);
    this.classifier = new Classifier({ pins: `${place.paths.pins}/shaper`, socket });
  }

  /** @throws SluiceError INTERFACE_MISSING; SystemError when the namespace is not there */
  static open(place: ShaperPlace, link: Link): Shaper {
    const netns = place.netns === undefined ? undefined : openNetns(place.netns);
    const socket = RtnlSocket.open(netns);
    try {
      return new Shaper(place, netns, socket, link);
    } catch (error) {
      socket[Symbol.dispose]();
      netns?.[Symbol.dispose]();
      throw error;
    }
  }

  /** The link's devices, as they were when it was opened. */
  get devices(): readonly LinkRecord[] {
    return this.#devices;
  }

  /** Reads the kernel. */
  fetch(): Observed {
    return fetchShaper(this.socket, this.classifier, this.#sysfs, this.#devices);
  }

  /** Works out what would change. Changes nothing. @throws SluiceError with everything that stands against it */
  plan(isp: Isp, config: ShaperConfig, options: ShapeOptions = {}): ShaperPlan {
    const facts = readFacts(this.#devices);
    const observed = this.fetch();
    const prior = this.#readStore(readSlots);
    const built = buildShaper({ isp, config, facts, prior, observed, rebalance: options.rebalance ?? false });
    const { actions } = planShaper(built.desired, observed, options);
    const problems = checkMemory(actions, facts.memory);
    if (problems.length > 0) throw new SluiceError(problems);
    return { actions, warnings: built.warnings, built, observed, facts, prior };
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
    const { allocation } = plan.built;
    const both = new Map([...plan.prior, ...allocation]);
    this.#withStore((db) => {
      writeSlots(db, plan.prior, both);
      if (executor.kind !== "file") saveSteering(db, plan.actions);
    });
    await this.#execute(plan, executor, options);
    if (executor.kind !== "file") this.#withStore((db) => writeSlots(db, both, allocation));
  }

  /** What {@link removeAll} would do. */
  planCleanup(): Plan<ShaperAction> {
    return planCleanup(this.fetch(), this.#readStore(readSteering));
  }

  /** Removes everything that sluice made on the link's devices. Ids stay in the store, so that a later apply uses them. */
  async removeAll(options?: ExecuteOptions): Promise<Plan<ShaperAction>> {
    const plan = this.planCleanup();
    await this.#execute(plan, { kind: "netlink" }, options);
    if (plan.actions.some(({ kind }) => kind === "steering.set")) {
      this.#withStore((db) => this.#devices.forEach(({ name }) => forgetSteering(db, name)));
    }
    return plan;
  }

  /** Keeps other processes from changing this machine until it is disposed. @throws SluiceError LOCKED */
  lock(): Disposable {
    return takeLock(this.#place.paths.lock);
  }

  [Symbol.dispose](): void {
    this.classifier[Symbol.dispose]();
    this.#sysfs[Symbol.dispose]();
    this.socket[Symbol.dispose]();
    this.#netns?.[Symbol.dispose]();
  }

  async #execute(plan: Plan<ShaperAction>, choice: ExecutorChoice, options?: ExecuteOptions): Promise<void> {
    const ifindex = new Map(this.#devices.map((device) => [device.name, device.ifindex]));
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
        return new FileExecutor(choice.path);
    }
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
