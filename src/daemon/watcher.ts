/** Watches the kernel: links that come, go and change their names, and what somebody else does to what sluice made. */
import { openDispatcher } from "../control/place.ts";
import { logger } from "../core/log.ts";
import { dumpLinks } from "../linux/netlink/dump.ts";
import { type Change, RtnlMonitor } from "../linux/netlink/monitor.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";
import { type Netns, openNetns } from "../linux/netns.ts";
import type { Link } from "../shaper/model.ts";
import { reasonOf } from "./changes.ts";
import type { Keeper } from "./keeper.ts";
import { CALM, changed, contested, due, looked, looking, type Pace } from "./pace.ts";
import { type Part, pause } from "./supervisor.ts";
import type { System } from "./system.ts";

/** What no message tells of (TCX, pins) is looked at this often, in milliseconds. */
const ROUTINE = 300_000;

const log = logger("watch");

const namesOf = (link: Link): readonly string[] =>
  link.kind === "bridge" ? [link.lan, link.internet] : [link.interface];

/** Runs as a part of the daemon. */
export class Watcher implements Part {
  readonly name = "watcher";
  readonly #system: System;
  readonly #keeper: Keeper;
  readonly #links = new Map<number, string>();
  #pace: Pace = CALM;
  #reason = "";
  /** Whether what changed may concern the shaper, or programs only. */
  #shaper = false;
  #nap = new AbortController();
  /** Messages so far, for the metrics. */
  seen = 0;

  constructor(system: System, keeper: Keeper) {
    this.#system = system;
    this.#keeper = keeper;
  }

  /** Lives until aborted. @throws SluiceError NETNS_MISSING; SystemError when the kernel cannot be heard */
  async run(signal: AbortSignal): Promise<void> {
    const { netns } = this.#system.place;
    using ns = netns === undefined ? undefined : openNetns(netns);
    using monitor = RtnlMonitor.open(ns, this.#system.ports);
    // Whichever of the two ends first ends the other, and nothing of this life goes on beside the next.
    const life = new AbortController();
    const end = (): void => {
      life.abort();
      monitor[Symbol.dispose]();
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      this.#readLinks(ns);
      this.#change("the watch began", true);
      const both = [this.#hear(monitor), this.#look(life.signal, ns)];
      for (const each of both) void each.then(end, end);
      for (const { status, ...rest } of await Promise.allSettled(both))
        if (status === "rejected") throw (rest as { readonly reason: unknown }).reason;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  async #hear(monitor: RtnlMonitor): Promise<void> {
    for (;;) {
      const changes = await monitor.next();
      if (changes.length === 0) return;
      this.seen += changes.length;
      for (const change of changes) this.#take(change);
    }
  }

  async #look(signal: AbortSignal, ns: Netns | undefined): Promise<void> {
    const { clock } = this.#system.place;
    let routine = clock.monotonic() + ROUTINE;
    while (!signal.aborted) {
      this.#nap = new AbortController();
      const when = Math.min(due(this.#pace) ?? Number.POSITIVE_INFINITY, routine);
      await pause(Math.max(0, when - clock.monotonic()), AbortSignal.any([signal, this.#nap.signal]));
      const now = clock.monotonic();
      if (now >= routine) {
        routine = now + ROUTINE;
        this.#sameNamespace(ns);
        this.#system.journal.probe();
        this.#change("routine", true);
      }
      const next = due(this.#pace);
      if (next !== undefined && now >= next && !signal.aborted) await this.#reconcile();
    }
  }

  async #reconcile(): Promise<void> {
    const { clock } = this.#system.place;
    const reason = this.#reason;
    const shaper = this.#shaper;
    this.#pace = looking(this.#pace);
    this.#shaper = false;
    const look = shaper ? await this.#keeper.reconcile(reason) : "calm";
    const healed = await this.#healDispatcher();
    this.#pace = looked(this.#pace, clock.monotonic(), look !== "calm" || healed);
    const seconds = contested(this.#pace);
    const { health } = this.#system.journal;
    if (seconds === undefined) health.clear("DRIFT_CONTESTED");
    else health.raise("DRIFT_CONTESTED", { seconds });
  }

  /** Brings programs and links together with what the store says. */
  #healDispatcher(): Promise<boolean> {
    const { place, serial, journal } = this.#system;
    return serial.run(async () => {
      try {
        using dispatcher = openDispatcher(place);
        const there = dispatcher.state().programs.size > 0;
        const { plan, warnings } = there ? await dispatcher.heal() : { plan: { actions: [] }, warnings: [] };
        journal.health.clear("DISPATCHER_FAILING");
        for (const { message } of warnings) log.warn("{message}", { message });
        if (plan.actions.length === 0) return false;
        const message = `Programs and links were brought together with the store in ${plan.actions.length} steps`;
        journal.record("dispatcher.healed", "warning", message, { steps: plan.actions.length });
        return true;
      } catch (error) {
        journal.health.raise("DISPATCHER_FAILING", { reason: reasonOf(error) });
        return false;
      }
    });
  }

  /** A namespace of the same name that was made anew is another, and this one is heard of no more. */
  #sameNamespace(ns: Netns | undefined): void {
    const { netns } = this.#system.place;
    if (!ns || netns === undefined) return;
    using now = openNetns(netns);
    if (now.id !== ns.id) throw new Error(`the network namespace "${netns}" was made anew`);
  }

  #readLinks(ns: Netns | undefined): void {
    using socket = RtnlSocket.open(ns);
    this.#links.clear();
    for (const { ifindex, name } of dumpLinks(socket)) this.#links.set(ifindex, name);
  }

  /** Looks soon, as if something had changed. */
  wake(reason: string): void {
    this.#change(reason, true);
  }

  /** The interfaces that are to be shaped. */
  get #configured(): readonly string[] {
    const inputs = this.#keeper.configuration?.inputs;
    return inputs ? namesOf(inputs.config.link) : [];
  }

  #change(reason: string, shaper: boolean): void {
    if (shaper || !this.#shaper) this.#reason = reason;
    this.#shaper ||= shaper;
    this.#pace = changed(this.#pace, this.#system.place.clock.monotonic());
    this.#nap.abort();
  }

  #take(change: Change): void {
    if (change.kind === "overrun") return this.#change("messages of the kernel were lost", true);
    if (change.kind === "link") return this.#takeLink(change.ifindex, change.name, change.gone);
    // Not asked for.
    if (change.kind === "hosts") return undefined;
    const name = this.#links.get(change.ifindex);
    if (name !== undefined && this.#configured.includes(name))
      this.#change(`qdiscs or filters of ${name} changed`, true);
    return undefined;
  }

  #takeLink(ifindex: number, name: string, gone: boolean): void {
    const before = this.#links.get(ifindex);
    if (gone) this.#links.delete(ifindex);
    else this.#links.set(ifindex, name);
    const concerned = [name, before].some((known) => known !== undefined && this.#configured.includes(known));
    if (concerned && (gone || before !== name)) this.#keeper.lost();
    const { journal } = this.#system;
    if (gone) {
      if (before === undefined) return;
      if (concerned) journal.record("link.vanished", "warning", `Interface ${before} vanished`, { ifindex });
      return this.#change(`interface ${before} vanished`, concerned);
    }
    if (before === undefined) {
      if (concerned) journal.record("link.appeared", "info", `Interface ${name} appeared`, { ifindex });
      return this.#change(`interface ${name} appeared`, concerned);
    }
    if (before !== name) {
      if (concerned) journal.record("link.renamed", "warning", `Interface ${before} is ${name} now`, { ifindex });
      return this.#change(`interface ${before} is ${name} now`, concerned);
    }
    if (concerned) this.#change(`interface ${name} changed`, true);
    return undefined;
  }
}
