/**
 * The relay as a whole: rules are resolved against the box as it is, groups joined, and both planes told, again whenever
 * something changes. Fetch, plan, apply: {@link readFacts} and {@link resolve} say what shall be; the planes make it so and
 * do nothing where it is so already.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { briefly, messageOf } from "../core/errors.ts";
import { logger } from "../core/log.ts";
import type { FdStore } from "../linux/fd-store.ts";
import { MembershipPool } from "../linux/multicast/membership.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";
import type { Netns } from "../linux/netns.ts";
import { byInput, membershipOf, memberships } from "./desired.ts";
import { readFacts } from "./fetch.ts";
import type { Facts } from "./facts.ts";
import { Input, type InputSettings } from "./input.ts";
import { setGro } from "./gro.ts";
import { Joins } from "./joins.ts";
import type { KernelPlane } from "./kernel/plane.ts";
import type { RuleRequest } from "./kernel/table.ts";
import type { PlaneRule, Rule } from "./model.ts";
import { resolve, type Resolved, slotKeys } from "./resolve.ts";
import { Slots, SLOTS } from "./slots.ts";
import { Tally } from "./tally.ts";
import { Speeds, type Counts, type Speed } from "./totals.ts";
import type { TracedPacket } from "./worker/message-codec.ts";
import type { WorkerStatus } from "./workers/handle.ts";

/** What the relay is made of. */
export interface RelayParts {
  readonly clock: Clock;
  readonly settings: InputSettings;
  /** The namespace that it works in, this thread's when left out; stays the caller's. */
  readonly ns?: Netns;
  /** Absent where the kernel can do nothing of it, or shall not. Stays the caller's. */
  readonly kernel?: KernelPlane;
  /** Keeps memberships from one process to the next. */
  readonly fds?: FdStore;
  /** Something changed that another {@link Relay.reconcile} may mend. */
  readonly changed: () => void;
}

/** A rule with all that is known of it. */
export interface RuleView {
  readonly resolved: Resolved;
  /** Who carries it out; undefined while nobody does. */
  readonly carriedBy?: "kernel" | "user";
  /** Why the kernel does not. */
  readonly kernelReason?: string;
  /** Whether its group is joined, or why not; undefined where there is none to join, or while it is being joined. */
  readonly joined?: true | string;
  /** Of a slot. */
  readonly counts: (slot: number) => Counts;
  readonly speed: Speed;
}

/** A worker as it is. */
export interface WorkerView {
  readonly device: string;
  readonly index: number;
  readonly status: WorkerStatus;
  readonly rules: number;
  readonly cpus: readonly number[];
}

const log = logger("relay");

/** Tagged frames reach a worker's ring before the kernel plane sees them: whoever has such a rule has it alone. */
function forKernel({ plane, rule }: Resolved, traced: ReadonlyMap<string, number>): RuleRequest[] {
  if (!plane || (plane.vlan !== 0 && rule.engine !== "kernel")) return [];
  return [{ rule: plane, engine: traced.has(rule.id) ? "user" : rule.engine }];
}

/** Between looks at what has been traced, ms. */
const LOOK = 50;

/** One relay. What the kernel carries goes on when it is disposed of; workers drain and end. */
export class Relay implements AsyncDisposable {
  readonly #parts: RelayParts;
  readonly #owned = new AsyncDisposableStack();
  readonly #socket: RtnlSocket;
  readonly #joins: Joins;
  readonly #slots = new Slots(SLOTS);
  readonly #tally = new Tally(SLOTS);
  /** As last read. Nothing before this relay's rows are in place: until then the kernel counts by the slots of another. */
  #kernelCounts: readonly number[] = [];
  #kernelIsOurs = false;
  readonly #speeds = new Speeds();
  readonly #inputs = new Map<number, Input>();
  /** Those that are no more, until they have ended. */
  readonly #leaving = new Map<Input, Promise<void>>();
  #rules: readonly Rule[] = [];
  #resolved: readonly Resolved[] = [];
  /** Rules that the workers carry for as long as somebody looks at their packets, and how many do. */
  readonly #traced = new Map<string, number>();
  #carried: ReadonlyMap<string, true | string> = new Map();
  #work: Promise<void> = Promise.resolve();

  /** @throws SystemError */
  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#socket = this.#owned.use(RtnlSocket.open(parts.ns));
    this.#joins = new Joins(this.#owned.use(new MembershipPool(parts.ns, parts.fds)));
  }

  /** The rules that hold, whatever becomes of them. */
  get rules(): readonly Rule[] {
    return this.#rules;
  }

  /** These rules hold from now on, and no others. @throws what {@link reconcile} throws */
  setRules(rules: readonly Rule[]): Promise<void> {
    this.#rules = rules;
    return this.reconcile();
  }

  /**
   * Looks at the box anew and brings both planes and the memberships to what rules need now; one after the other. Joining is
   * not waited for: it may take seconds where others hold the kernel's lock.
   *
   * @throws RtnlError, SluiceError APPLY_ROLLED_BACK; rules that are carried go on
   */
  reconcile(): Promise<void> {
    const work = this.#work.then(() => this.#reconcile());
    this.#work = work.catch(() => undefined);
    return work;
  }

  async #reconcile(): Promise<void> {
    const facts = readFacts(this.#socket);
    this.#resolve(facts);
    void this.#joins
      .sync(memberships(this.#resolved))
      .catch((error: unknown) => log.error("groups were not joined: {reason}", { reason: messageOf(error) }));
    const planes = byInput(this.#resolved);
    const gone = [...this.#inputs.values()].filter(
      ({ link }) => !planes.has(link.ifindex) || isAnother(link.name, link.ifindex, facts),
    );
    // Workers know a rule before the kernel does, and for longer: whatever the kernel leaves has somebody.
    this.#setInputs(facts, planes, this.#carried);
    await this.#applyKernel();
    this.#ownKernelCounts();
    this.#setInputs(facts, planes, this.#carried);
    // They drain in their own time: nobody waits for them, and their counters count until they have ended.
    for (const input of gone) this.#drop(input);
  }

  /** Rules without a slot cannot be counted, and so are not carried out. */
  #resolve(facts: Facts): void {
    const keys = this.#rules.map((rule) => slotKeys(rule));
    this.#slots.keep(new Set(keys.flat()));
    const fresh: number[] = [];
    const slotOf = (key: string): number => {
      const known = this.#slots.has(key);
      const slot = this.#slots.of(key)!;
      if (!known) fresh.push(slot);
      return slot;
    };
    this.#resolved = this.#rules.map((rule) => resolve(rule, facts, slotOf));
    if (fresh.length > 0) this.#tally.begin(fresh, this.#tables());
  }

  /** What the kernel has counted for a relay before this one is nobody's now. */
  #ownKernelCounts(): void {
    if (this.#kernelIsOurs) return;
    this.#kernelIsOurs = true;
    this.#tally.forget(this.#kernelTable());
  }

  async #applyKernel(): Promise<void> {
    const { kernel } = this.#parts;
    if (!kernel) {
      const reason = "this machine's kernel cannot do it";
      this.#carried = new Map(this.#resolved.map(({ rule }) => [rule.id, reason]));
      return;
    }
    const { carried } = await kernel.apply(this.#resolved.flatMap((resolved) => forKernel(resolved, this.#traced)));
    this.#carried = carried;
  }

  #setInputs(
    facts: Facts,
    planes: ReadonlyMap<number, readonly PlaneRule[]>,
    carried: ReadonlyMap<string, true | string>,
  ): void {
    const { ns, settings, changed } = this.#parts;
    for (const link of facts.links.values()) {
      const rules = planes.get(link.ifindex);
      if (!rules) continue;
      let input = this.#inputs.get(link.ifindex);
      if (!input) {
        setGro(this.#socket.fd, link.name, settings.gro ?? "keep");
        input = new Input({ link, settings, slots: SLOTS, changed, ...(ns && { ns }) });
        this.#inputs.set(link.ifindex, input);
      }
      input.set(rules.filter(({ vlan, id }) => vlan === 0 || carried.get(id) !== true));
    }
  }

  #drop(input: Input): void {
    const { ifindex } = input.link;
    if (this.#inputs.get(ifindex) === input) this.#inputs.delete(ifindex);
    this.#leaving.set(input, this.#end(input));
  }

  async #end(input: Input): Promise<void> {
    await Promise.all(input.workers.map((worker) => worker.stop()));
    // What it has counted is not lost with its memory.
    this.#tally.retire(input.workers.map((worker) => worker.counters));
    this.#leaving.delete(input);
    await input[Symbol.asyncDispose]();
  }

  #tables(): ArrayLike<number>[] {
    const inputs = [...this.#inputs.values(), ...this.#leaving.keys()];
    const workers = inputs.flatMap((input) => input.workers.map((worker) => worker.counters));
    return [...workers, this.#kernelTable()];
  }

  /** Where it cannot be read it is as it was: counters never go back. */
  #kernelTable(): ArrayLike<number> {
    if (!this.#kernelIsOurs) return this.#kernelCounts;
    try {
      this.#kernelCounts = (this.#parts.kernel?.counters(this.#slots.highest + 1) ?? []).flat();
    } catch (error) {
      log.warn("the kernel's counters cannot be read: {reason}", { reason: briefly(error) });
    }
    return this.#kernelCounts;
  }

  /** Takes a sample for the speeds of rules; to be called about once a second. */
  sample(): void {
    const tables = this.#tables();
    const counts = new Map(this.#resolved.map(({ slot }) => [slot, this.#tally.of(slot, tables)] as const));
    this.#speeds.sample(this.#parts.clock.monotonic() / 1000, counts);
  }

  /** Every rule, by the order in which they were given. */
  views(): RuleView[] {
    const tables = this.#tables();
    const counts = (slot: number): Counts => this.#tally.of(slot, tables);
    return this.#resolved.map((resolved) => {
      const { plane, rule, slot } = resolved;
      const carried = this.#carried.get(rule.id);
      const membership = plane && membershipOf(plane);
      const joined = membership && this.#joins.stateOf(membership);
      const carriedBy = !plane ? undefined : carried === true ? "kernel" : this.#runs(plane) ? "user" : undefined;
      return {
        resolved,
        counts,
        speed: this.#speeds.of(slot),
        ...(carriedBy && { carriedBy }),
        ...(typeof carried === "string" && plane && { kernelReason: carried }),
        ...(joined !== undefined && { joined }),
      };
    });
  }

  #runs({ ifindex }: PlaneRule): boolean {
    const workers = this.#inputs.get(ifindex)?.workers ?? [];
    return workers.some(({ status }) => status.state === "running");
  }

  /**
   * The next packets of a rule, or as many of them as come in that time. Whoever is traced is carried by the workers
   * meanwhile, who alone see what becomes of each.
   *
   * @param wait ms
   */
  async trace(id: string, most: number, wait: number): Promise<readonly TracedPacket[]> {
    const until = this.#parts.clock.monotonic() + wait;
    this.#traced.set(id, (this.#traced.get(id) ?? 0) + 1);
    try {
      await this.reconcile();
      await this.sync();
      const workers = [...this.#inputs.values()].flatMap((input) => input.workers);
      for (;;) {
        // The first question begins it, and has no answer yet.
        const answers = await Promise.all(workers.map((worker) => worker.trace(id, most)));
        const packets = answers.flat().toSorted((a, b) => a.time - b.time);
        if (packets.length >= most || this.#parts.clock.monotonic() >= until) return packets.slice(-most);
        await sleep(LOOK);
      }
    } finally {
      const others = this.#traced.get(id)! - 1;
      if (others > 0) this.#traced.set(id, others);
      else this.#traced.delete(id);
      await this.reconcile();
    }
  }

  /** Every worker. */
  workers(): WorkerView[] {
    const { pinning } = this.#parts.settings;
    return [...this.#inputs.values()].flatMap(({ link, size, workers }) =>
      workers.map(({ status }, index): WorkerView => {
        const cpus = pinning[link.name] ?? [];
        return {
          device: link.name,
          index,
          status,
          rules: size,
          cpus: cpus.length === 0 ? [] : [cpus[index % cpus.length]!],
        };
      }),
    );
  }

  /** Of each input: where its workers' counters are. */
  inputs(): readonly Input[] {
    return [...this.#inputs.values()];
  }

  /** Waits until every group has been asked for that rules needed so far; some may have failed. */
  async asked(): Promise<void> {
    await this.#work;
    await this.#joins.idle();
  }

  /** Waits until all workers have their rules as they are now; false when one is not there. */
  async sync(): Promise<boolean> {
    await this.#work;
    return (await Promise.all([...this.#inputs.values()].map((input) => input.sync()))).every(Boolean);
  }

  /** Ends the workers, once they have sent what they have; what they counted can be read until this is disposed of. */
  async stop(): Promise<void> {
    await this.#work;
    const workers = [...this.#inputs.values()].flatMap((input) => input.workers);
    await Promise.all([...workers.map((worker) => worker.stop()), ...this.#leaving.values()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work;
    for (const input of this.#inputs.values()) this.#drop(input);
    await Promise.all(this.#leaving.values());
    await this.#owned.disposeAsync();
  }
}

/** Whether a number means another interface now. */
const isAnother = (name: string, ifindex: number, { links }: Facts): boolean => links.get(name)?.ifindex !== ifindex;
