/** What happens: kept in the store, sent to those who listen, and written to the log. */
import type { DatabaseSync } from "node:sqlite";
import type { AppliedPlanJson, EventJson } from "../api/schemas/system.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { logger } from "../core/log.ts";
import { Health } from "./health.ts";
import * as events from "./store/events.ts";
import * as plans from "./store/plans.ts";
import { Topic } from "./topic.ts";

/** Kinds of events. */
export type EventKind =
  | "daemon.started"
  | "daemon.stopping"
  | "config.loaded"
  | "config.refused"
  | "config.pinned"
  | "plan.applied"
  | "plan.failed"
  | "drift.found"
  | "drift.healed"
  | "shaper.removed"
  | "dispatcher.changed"
  | "dispatcher.healed"
  | "link.appeared"
  | "link.vanished"
  | "link.renamed"
  | "part.failed"
  | "bakery.mode"
  | "bakery.failed"
  | "health.raised"
  | "health.cleared"
  | "log.levels"
  | "autorate.state"
  | "autorate.contested"
  | "autorate.controller"
  | "autorate.file"
  | "relay.rule"
  | "relay.state"
  | "relay.worker"
  | "store.mended";

/** Events that a listener can still get when it comes back. */
const RING = 256;

const log = logger("daemon");

/** The journal, and the health that it tells of. */
export class Journal {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly topic = new Topic<EventJson>(RING);
  readonly health: Health;
  /** Events so far by severity. */
  readonly counts = { error: 0, warning: 0, info: 0 };

  constructor(db: DatabaseSync, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    this.health = new Health(clock, {
      raised: ({ code, severity, message }) => this.record("health.raised", severity, message, { code }),
      cleared: ({ code, message }) => this.record("health.cleared", "info", `No more: ${message}`, { code }),
    });
  }

  /** Now, RFC 3339. */
  now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  /** Records an event. */
  record(
    kind: EventKind,
    severity: EventJson["severity"],
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ): void {
    this.counts[severity] += 1;
    const line = { kind, message, ...details };
    if (severity === "error") log.error("{kind}: {message}", line);
    else if (severity === "warning") log.warn("{kind}: {message}", line);
    else log.info("{kind}: {message}", line);
    const event = { time: this.now(), kind, severity, message, details: { ...details } };
    const kept = this.#store(() => events.add(this.#db, event));
    if (kept) this.topic.publish(kept, kept.id);
  }

  /** Records a plan that was carried out or failed. @returns its id, when it could be kept */
  plan(plan: Omit<AppliedPlanJson, "id" | "time">, actions: readonly plans.KeptAction[]): number | undefined {
    return this.#store(() => plans.add(this.#db, { time: this.now(), ...plan }, actions));
  }

  /** Finds out whether a store that failed can be written again. */
  probe(): void {
    if (this.health.list().some(({ code }) => code === "STORE_FAILING"))
      this.record("store.mended", "info", "The state database can be written again");
  }

  /** Events of the store. */
  events(query: events.EventQuery): EventJson[] {
    return events.list(this.#db, query);
  }

  /** A disk that is full must not stop anything but the memory of it. */
  #store<T>(body: () => T): T | undefined {
    try {
      const result = body();
      this.health.clear("STORE_FAILING");
      return result;
    } catch (error) {
      log.error("cannot keep what happens: {reason}", { reason: messageOf(error) });
      this.health.raise("STORE_FAILING", { reason: messageOf(error) });
      return undefined;
    }
  }
}
