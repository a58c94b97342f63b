/** A link as a part of the daemon: started, restarted and watched over like any other, with its events and conditions. */
import type { LinkConfig } from "../../autorate/config.ts";
import { openLink, type OpenLink, type Surroundings } from "../../autorate/open.ts";
import type { TickRecord } from "../../autorate/record/tick.ts";
import type { LinkState as Hearing } from "../../autorate/runner/hearing.ts";
import type { Fate } from "../../autorate/runner/link.ts";
import { openTarget } from "../../autorate/targets/open.ts";
import { type Both, DIRECTIONS } from "../../core/both.ts";
import { briefly, type Params } from "../../core/errors.ts";
import { explainError } from "../../core/explain.ts";
import { logger } from "../../core/log.ts";
import { humanRate } from "../../core/units.ts";
import type { ConditionCode } from "../conditions.ts";
import type { EventKind, Journal } from "../journal.ts";
import type { Part } from "../supervisor.ts";
import type { LinkState } from "./json.ts";

/** What happens to links is told at most so often for each kind of it, ms. */
const TOLD_EVERY = 10_000;
/** Ticks that are kept to be shown: half a minute of those that come ten times a second. */
const KEPT = 300;

type Happening = Parameters<Surroundings["happened"]>[0];

/** What links are given. */
export type Shared = Omit<Surroundings, "happened" | "ticked">;

const log = logger("autorate");

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
  /** What is wrong with it now: codes with their subjects. */
  readonly #conditions = new Map<string, readonly [ConditionCode, string]>();
  #open: OpenLink | undefined;
  #reason: string | undefined;
  #ticks = 0;
  #fates: Both<Fate> | undefined;
  #toldState: Hearing = "starting";

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
    // What was once is not what is.
    const last = this.#open && this.#history.at(-1);
    return { config: this.#config, open: this.#open, reason: this.#reason, last, ticks: this.#ticks };
  }

  /** It could not be started, and waits to be tried again. */
  get failing(): boolean {
    return this.#open === undefined && this.#reason !== undefined;
  }

  /** What was set last, kbit/s; nothing before anything was. */
  get rates(): Partial<Both<number>> {
    return this.#history.at(-1)?.rates ?? this.#shared.begin ?? {};
  }

  /** Its last ticks, the oldest first. */
  history(most: number): readonly TickRecord[] {
    return most === 0 ? [] : this.#history.slice(-most);
  }

  /** Lives until aborted. @throws SluiceError why it could not be started */
  async run(signal: AbortSignal): Promise<void> {
    const { name } = this.#config;
    try {
      await using open = await openLink(this.#config, {
        ...this.#shared,
        begin: this.rates,
        happened: (event) => this.#happened(event),
        ticked: (record) => this.#tick(record),
      });
      this.#open = open;
      this.#reason = undefined;
      this.#clear("AUTORATE_FAILED", name);
      await open.run(signal);
      if (this.#fates) open.runner.retire(this.#fates);
    } catch (error) {
      this.#reason = briefly(explainError(error));
      // Of what else was wrong with it nobody can tell now.
      this.forget();
      this.#raise("AUTORATE_FAILED", { link: name, reason: this.#reason }, name);
      throw error;
    } finally {
      this.#open = undefined;
    }
  }

  /** It will be stopped though sluice goes on: says what becomes of what it drives. */
  retire(fates: Both<Fate>): void {
    this.#fates = fates;
  }

  /** Gives back the sites that nobody drives any more, when it is stopped: also those that only one before it drove. */
  async giveBack(): Promise<void> {
    for (const direction of DIRECTIONS) {
      const { target, adjust = false } = this.#config.directions[direction] ?? {};
      if (target?.kind !== "site" || !adjust || this.#fates?.[direction] !== "returned") continue;
      using site = openTarget(target, { ...this.#shared, direction });
      try {
        await site.release?.();
      } catch (error) {
        log.warn("{site} was not given back: {reason}", { site: site.label, reason: briefly(error) });
      }
    }
  }

  /** Nothing of it is wrong once it is no more. */
  forget(): void {
    for (const [code, subject] of this.#conditions.values()) this.#clear(code, subject);
  }

  #raise(code: ConditionCode, params: Params, subject: string): void {
    this.#conditions.set(`${code} ${subject}`, [code, subject]);
    this.#journal.health.raise(code, params, subject);
  }

  #clear(code: ConditionCode, subject: string): void {
    this.#conditions.delete(`${code} ${subject}`);
    this.#journal.health.clear(code, subject);
  }

  #tick(record: TickRecord): void {
    this.#ticks += 1;
    // What it was decided by is for the stream and the trace; kept would be much.
    const { input, ...rest } = record;
    this.#history.push(input ? { ...rest, input: { ...input, samples: [], outstanding: [] } } : rest);
    if (this.#history.length > KEPT) this.#history.shift();
    this.#tellState(record.state);
    this.#ticked(this.#config.name, record);
  }

  /** Tells of the state, however short it was the last one in which it stays. */
  #tellState(to: Hearing): void {
    const from = this.#toldState;
    if (to === from) return;
    const message = `${this.#config.name} is ${to}, after it was ${from}`;
    if (this.#record("autorate.state", "info", to, message, { from, to })) this.#toldState = to;
  }

  /** Records an event, unless its like was told a moment ago. @returns whether it was told */
  #record(kind: EventKind, severity: "info" | "warning", subject: string, message: string, details: object): boolean {
    const key = `${kind} ${subject}`;
    const now = this.#shared.clock.monotonic();
    if (now - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY) return false;
    this.#told.set(key, now);
    this.#journal.record(kind, severity, message, { link: this.#config.name, ...details });
    return true;
  }

  #happened(event: Happening): void {
    const { name } = this.#config;
    switch (event.kind) {
      case "state":
        this.#see(event.to);
        break;
      case "foreign": {
        const { direction, found, set } = event;
        const shown = found === undefined ? "no limit" : kbits(found);
        const message = `Somebody set ${direction} of ${name} to ${shown}: ${kbits(set)} is put back`;
        this.#record("autorate.contested", "warning", direction, message, { direction, found, set });
        break;
      }
      case "target-missing":
        this.#raise("AUTORATE_TARGET_MISSING", { link: name, ...event }, `${name} ${event.direction}`);
        break;
      case "target-found":
        this.#clear("AUTORATE_TARGET_MISSING", `${name} ${event.direction}`);
        this.#clear("AUTORATE_REFUSED", `${name} ${event.direction}`);
        break;
      case "write-failed":
        this.#raise("AUTORATE_REFUSED", { link: name, ...event }, `${name} ${event.direction}`);
        break;
      case "written":
        this.#clear("AUTORATE_REFUSED", `${name} ${event.direction}`);
        break;
      case "controller-failed": {
        const message = `The controller of ${name} failed: ${event.reason}`;
        this.#record("autorate.controller", "warning", "", message, {});
        break;
      }
      case "file-failed": {
        const message = `Cannot write ${event.path} of ${name}: ${event.reason}; it is tried again`;
        this.#record("autorate.file", "warning", event.path, message, { path: event.path });
        break;
      }
      case "plugin-disabled": {
        const { path: plugin, reason } = event;
        this.#raise("AUTORATE_PLUGIN", { link: name, plugin, reason }, `${name} ${plugin}`);
        break;
      }
    }
  }

  /** Blind is a condition; the other states are as they should be, or have others. */
  #see(state: Hearing): void {
    const { name } = this.#config;
    if (state !== "blind") return this.#clear("AUTORATE_BLIND", name);
    const reason = this.#open?.usable().reason ?? "traffic flows, and no reflector answers";
    return this.#raise("AUTORATE_BLIND", { link: name, reason }, name);
  }
}
