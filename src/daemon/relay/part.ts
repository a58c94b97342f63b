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
import { Telemetry } from "./telemetry.ts";

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
  #telemetrySeconds: number;
  #telemetry: Telemetry | undefined;
  #dirty = true;
  #nap = new AbortController();
  /** States of rules as they were last told, by their ids. */
  readonly #told = new Map<string, string>();
  /** The same of workers, by interface and number: how often they were started again, and the last process that ran. */
  readonly #workers = new Map<string, { readonly restarts: number; readonly pid: number | undefined }>();

  constructor(system: System, settings: RelaySettings, rules: readonly Rule[]) {
    this.#system = system;
    this.#settings = settings;
    this.#telemetrySeconds = settings.telemetrySeconds;
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

  /** What was done is logged so often from now on. @param seconds 0: never */
  tellEvery(seconds: number): void {
    if (seconds === this.#telemetrySeconds) return;
    this.#telemetrySeconds = seconds;
    this.#telemetry?.setEvery(seconds);
    this.#nap.abort();
  }

  /** Other rules hold from now on; they are carried when this has come back. @throws SluiceError, RtnlError */
  async setRules(rules: readonly Rule[]): Promise<void> {
    this.#rules = rules;
    await this.#relay?.setRules(rules);
    // What a worker carries is in its hands when it says so. One that is not there gets it at its next start.
    await this.#relay?.sync();
    this.#tell();
  }

  /** Lives until aborted. @throws SluiceError NETNS_MISSING, SystemError */
  async run(signal: AbortSignal): Promise<void> {
    const { place, fds } = this.#system;
    const wake = (): void => this.#wake();
    await using opened = openRelay(place, this.#settings, fds, wake);
    using ns = place.netns === undefined ? undefined : openNetns(place.netns);
    using monitor = RtnlMonitor.open(ns, undefined, "hosts");
    const telemetry = new Telemetry(opened.relay, place.clock, this.#telemetrySeconds);
    this.#telemetry = telemetry;
    const life = new AbortController();
    const end = (): void => {
      life.abort();
      monitor[Symbol.dispose]();
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      // Others may be set meanwhile.
      for (let rules; rules !== this.#rules;) {
        rules = this.#rules;
        await opened.relay.setRules(rules);
      }
      this.#relay = opened.relay;
      void opened.relay.asked().then(() => fds.release());
      const both = [this.#hear(monitor), this.#look(opened.relay, telemetry, life.signal)];
      for (const each of both) void each.then(end, end);
      for (const { status, ...rest } of await Promise.allSettled(both))
        if (status === "rejected") throw (rest as { readonly reason: unknown }).reason;
    } finally {
      signal.removeEventListener("abort", end);
      this.#relay = undefined;
      this.#telemetry = undefined;
      // After that nothing is counted any more but by the kernel.
      await opened.relay.stop();
      telemetry.finish();
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

  async #look(relay: Relay, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
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
      telemetry.tell();
      this.#nap = new AbortController();
      const wait = Math.max(1, Math.min(sampled + every, telemetry.due) - clock.monotonic());
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

  /** Tells of workers that died, and of those that came up. */
  #tellWorkers(): void {
    const { journal } = this.#system;
    for (const { device, index, status } of this.#relay?.workers() ?? []) {
      const { reason, pid, restarts } = status;
      const key = `${device} ${index}`;
      const before = this.#workers.get(key) ?? { restarts: 0, pid: undefined };
      const running = status.state === "running" ? pid : undefined;
      this.#workers.set(key, { restarts, pid: running ?? before.pid });
      const details = { interface: device, index };
      if (restarts > before.restarts)
        journal.record(
          "relay.worker",
          "warning",
          `A worker of ${device} ended: ${reason ?? "nobody knows why"}`,
          details,
        );
      if (running !== undefined && running !== before.pid)
        journal.record("relay.worker", "info", `A worker of ${device} runs, process ${running}`, details);
    }
  }

  /** Tells of rules that began or ceased to be carried out. */
  #tell(): void {
    this.#tellWorkers();
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
