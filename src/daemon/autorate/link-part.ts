/** A link as a part of the daemon: started, restarted and watched over like any other, with its events and conditions. */
import type { LinkConfig } from "../../autorate/config.ts";
import { openLink, type OpenLink, type Surroundings } from "../../autorate/open.ts";
import type { TickRecord } from "../../autorate/record/tick.ts";
import type { LinkState as Hearing } from "../../autorate/runner/hearing.ts";
import { humanRate } from "../../core/units.ts";
import { reasonOf } from "../changes.ts";
import type { EventKind, Journal } from "../journal.ts";
import type { Part } from "../supervisor.ts";
import type { LinkState } from "./json.ts";

/** What happens to links is told at most so often for each kind of it, ms. */
const TOLD_EVERY = 10_000;
/** Ticks that are kept to be shown: half a minute of those that come ten times a second. */
const KEPT = 300;

type Happening = Parameters<Surroundings["happened"]>[0];

/** What all links are given. */
export type Shared = Omit<Surroundings, "happened" | "ticked">;

const kbits = (rate: number): string => humanRate(rate * 1000);

/** The part. */
export class LinkPart implements Part {
  readonly name: string;
  readonly #config: LinkConfig;
  readonly #shared: Shared;
  readonly #journal: Journal;
  readonly #ticked: (link: string, record: TickRecord) => void;
  readonly #told = new Map<string, number>();
  readonly #history: TickRecord[] = [];
  #open: OpenLink | undefined;
  #reason: string | undefined;
  #ticks = 0;
  #retired = false;

  constructor(
    config: LinkConfig,
    shared: Shared,
    journal: Journal,
    ticked: (link: string, record: TickRecord) => void,
  ) {
    this.name = `autorate ${config.name}`;
    this.#config = config;
    this.#shared = shared;
    this.#journal = journal;
    this.#ticked = ticked;
  }

  /** How it is. */
  get state(): LinkState {
    const last = this.#history.at(-1);
    return { config: this.#config, open: this.#open, reason: this.#reason, last, ticks: this.#ticks };
  }

  /** Its last ticks, the oldest first. */
  history(most: number): readonly TickRecord[] {
    return most === 0 ? [] : this.#history.slice(-most);
  }

  /** Lives until aborted. @throws SluiceError why it could not be started */
  async run(signal: AbortSignal): Promise<void> {
    const { health } = this.#journal;
    const { name } = this.#config;
    try {
      await using open = await openLink(this.#config, {
        ...this.#shared,
        happened: (event) => this.#happened(event),
        ticked: (record) => this.#tick(record),
      });
      this.#open = open;
      this.#reason = undefined;
      health.clear("AUTORATE_FAILED", name);
      await open.run(signal);
      if (this.#retired) open.runner.retire();
    } catch (error) {
      this.#reason = reasonOf(error);
      health.raise("AUTORATE_FAILED", { link: name, reason: this.#reason }, name);
      throw error;
    } finally {
      this.#open = undefined;
    }
  }

  /** The configuration does not have it any more: what it drove is given back when it is stopped. */
  retire(): void {
    this.#retired = true;
  }

  /** Nothing of it is wrong once it is no more. */
  forget(): void {
    for (const code of CODES) this.#journal.health.clear(code, this.#config.name);
    for (const d of ["download", "upload"])
      for (const code of CODES) this.#journal.health.clear(code, `${this.#config.name} ${d}`);
  }

  #tick(record: TickRecord): void {
    this.#ticks += 1;
    // What it was decided by is for the stream and the trace; kept would be much.
    const { input, ...rest } = record;
    this.#history.push(input ? { ...rest, input: { ...input, samples: [], outstanding: [] } } : rest);
    if (this.#history.length > KEPT) this.#history.shift();
    this.#ticked(this.#config.name, record);
  }

  /** Records an event, unless its like was told a moment ago. */
  #record(kind: EventKind, severity: "info" | "warning", subject: string, message: string, details: object): void {
    const key = `${kind} ${subject}`;
    const now = this.#shared.clock.monotonic();
    if (now - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY) return;
    this.#told.set(key, now);
    this.#journal.record(kind, severity, message, { link: this.#config.name, ...details });
  }

  #happened(event: Happening): void {
    const { name } = this.#config;
    const { health } = this.#journal;
    switch (event.kind) {
      case "state":
        return this.#entered(event.from, event.to);
      case "foreign": {
        const { direction, found, set } = event;
        const shown = found === undefined ? "no limit" : kbits(found);
        const message = `Somebody set ${direction} of ${name} to ${shown}: ${kbits(set)} is put back`;
        return this.#record("autorate.contested", "warning", direction, message, { direction, found, set });
      }
      case "target-missing": {
        const { direction, target, reason } = event;
        health.raise("AUTORATE_TARGET_MISSING", { link: name, direction, target, reason }, `${name} ${direction}`);
        return undefined;
      }
      case "target-found":
        health.clear("AUTORATE_TARGET_MISSING", `${name} ${event.direction}`);
        health.clear("AUTORATE_REFUSED", `${name} ${event.direction}`);
        return undefined;
      case "write-failed": {
        const { direction, target, reason } = event;
        health.raise("AUTORATE_REFUSED", { link: name, direction, target, reason }, `${name} ${direction}`);
        return undefined;
      }
      case "written":
        health.clear("AUTORATE_REFUSED", `${name} ${event.direction}`);
        return undefined;
      case "controller-failed":
        return this.#record(
          "autorate.controller",
          "warning",
          "",
          `The controller of ${name} failed: ${event.reason}`,
          {},
        );
      case "file-failed": {
        const message = `Cannot write ${event.path} of ${name}: ${event.reason}; it is tried again`;
        return this.#record("autorate.file", "warning", event.path, message, { path: event.path });
      }
      case "plugin-disabled":
        health.raise("AUTORATE_PLUGIN", { link: name, plugin: event.path, reason: event.reason }, name);
        return undefined;
    }
  }

  #entered(from: Hearing, to: Hearing): void {
    const { name } = this.#config;
    const { health } = this.#journal;
    this.#record("autorate.state", "info", to, `${name} is ${to}, after it was ${from}`, { from, to });
    if (to !== "blind") return health.clear("AUTORATE_BLIND", name);
    const reason = this.#open?.usable().reason ?? "traffic flows, and no reflector answers";
    health.raise("AUTORATE_BLIND", { link: name, reason }, name);
  }
}

const CODES = [
  "AUTORATE_FAILED",
  "AUTORATE_TARGET_MISSING",
  "AUTORATE_REFUSED",
  "AUTORATE_BLIND",
  "AUTORATE_PLUGIN",
] as const;
