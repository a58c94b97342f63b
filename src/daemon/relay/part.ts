/** The relay as a part of the daemon: it looks at the box again whenever something changes in it. */
import { setTimeout as sleep } from "node:timers/promises";
import { openRelay } from "../../control/relay/open.ts";
import { briefly } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import { RtnlMonitor } from "../../linux/netlink/monitor.ts";
import { openNetns } from "../../linux/netns.ts";
import type { Rule } from "../../relay/model.ts";
import type { Relay } from "../../relay/relay.ts";
import type { RelaySettings } from "../../relay/settings.ts";
import { type Part, pause } from "../supervisor.ts";
import type { System } from "../system.ts";

/** Changes of a moment are looked at together, ms. */
const SETTLE = 20;
/** Between samples for the speeds of rules, ms; more where there are so many that one takes longer than a part of it. */
const SAMPLE = 1000;
const SAMPLE_PART = 50;
/** Who wants to change something waits so long for a relay that is starting, ms. */
const PATIENCE = 5000;
/** What could not be done is tried again so often, ms. */
const ROUTINE = 10_000;

const log = logger("relay");

/** The part. */
export class RelayPart implements Part {
  readonly name = "relay";
  readonly #system: System;
  readonly #settings: RelaySettings;
  #rules: readonly Rule[];
  #relay: Relay | undefined;
  #dirty = true;
  #nap = new AbortController();
  /** States of rules as they were last told, by their ids. */
  readonly #told = new Map<string, string>();

  constructor(system: System, settings: RelaySettings, rules: readonly Rule[]) {
    this.#system = system;
    this.#settings = settings;
    this.#rules = rules;
  }

  /** The relay while it runs. */
  get relay(): Relay | undefined {
    return this.#relay;
  }

  /** Waits until it runs; false when it does not for now. */
  async started(): Promise<boolean> {
    const until = this.#system.place.clock.monotonic() + PATIENCE;
    while (!this.#relay && this.#system.place.clock.monotonic() < until) await sleep(SETTLE);
    return this.#relay !== undefined;
  }

  /** Other rules hold from now on; they are carried when this has come back. @throws SluiceError, RtnlError */
  async setRules(rules: readonly Rule[]): Promise<void> {
    this.#rules = rules;
    await this.#relay?.setRules(rules);
    this.#tell();
  }

  /** Lives until aborted. @throws SluiceError NETNS_MISSING, SystemError */
  async run(signal: AbortSignal): Promise<void> {
    const { place } = this.#system;
    const wake = (): void => this.#wake();
    await using opened = openRelay(place, this.#settings, wake);
    using ns = place.netns === undefined ? undefined : openNetns(place.netns);
    using monitor = RtnlMonitor.open(ns, undefined, "hosts");
    const life = new AbortController();
    const end = (): void => {
      life.abort();
      monitor[Symbol.dispose]();
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      await opened.relay.setRules(this.#rules);
      this.#relay = opened.relay;
      const both = [this.#hear(monitor), this.#look(opened.relay, life.signal)];
      for (const each of both) void each.then(end, end);
      for (const { status, ...rest } of await Promise.allSettled(both))
        if (status === "rejected") throw (rest as { readonly reason: unknown }).reason;
    } finally {
      signal.removeEventListener("abort", end);
      this.#relay = undefined;
      this.#system.journal.health.clear("RELAY_WAITING");
    }
  }

  #wake(): void {
    this.#dirty = true;
    this.#nap.abort();
  }

  async #hear(monitor: RtnlMonitor): Promise<void> {
    while ((await monitor.next()).length > 0) this.#wake();
  }

  async #look(relay: Relay, signal: AbortSignal): Promise<void> {
    const { clock } = this.#system.place;
    let [sampled, looked] = [clock.monotonic(), clock.monotonic()];
    let every = SAMPLE;
    while (!signal.aborted) {
      if (this.#dirty || clock.monotonic() - looked >= ROUTINE) {
        await pause(SETTLE, signal);
        this.#dirty = false;
        looked = clock.monotonic();
        await this.#reconcile(relay);
      }
      if (clock.monotonic() - sampled >= every) {
        sampled = clock.monotonic();
        relay.sample();
        every = Math.max(SAMPLE, SAMPLE_PART * (clock.monotonic() - sampled));
      }
      this.#nap = new AbortController();
      const wait = Math.max(1, sampled + every - clock.monotonic());
      // What changed while it looked is looked at right away.
      if (!this.#dirty) await pause(wait, AbortSignal.any([signal, this.#nap.signal]));
    }
  }

  /** What cannot be done now is tried again; what is carried goes on. */
  async #reconcile(relay: Relay): Promise<void> {
    try {
      await relay.reconcile();
      this.#tell();
    } catch (error) {
      log.error("rules could not be brought in place: {reason}", { reason: briefly(error) });
    }
  }

  /** Tells of rules that began or ceased to be carried out. */
  #tell(): void {
    const { journal } = this.#system;
    const views = this.#relay?.views() ?? [];
    for (const { resolved } of views) {
      const { rule, state, reason } = resolved;
      const before = this.#told.get(rule.id);
      if (before === state) continue;
      this.#told.set(rule.id, state);
      const name = rule.name ?? rule.id;
      const why = reason === undefined ? "" : `: ${reason}`;
      const severity = state === "active" || before === undefined ? "info" : "warning";
      journal.record("relay.state", severity, `Rule ${name} is ${state}${why}`, { rule: rule.id, state });
    }
    const there = new Set(views.map(({ resolved }) => resolved.rule.id));
    for (const id of this.#told.keys()) if (!there.has(id)) this.#told.delete(id);
    const waiting = views.filter(({ resolved }) => resolved.state !== "active");
    if (waiting.length === 0) return journal.health.clear("RELAY_WAITING");
    const [{ resolved: first }] = waiting as [(typeof waiting)[number]];
    const more = waiting.length > 1 ? `, and ${waiting.length - 1} more` : "";
    const what = `${first.rule.name ?? first.rule.id} is ${first.state} (${first.reason ?? ""})${more}`;
    return journal.health.raise("RELAY_WAITING", { what });
  }
}
