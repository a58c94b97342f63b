/**
 * Which configuration the kernel is held to. Files are read whole and checked whole; only what was carried out becomes the
 * active configuration, and is kept with its files, so that there is always one to go back to.
 */
import type { Output } from "../api/routes.ts";
import { type Configuration, fromKept, type Inputs, readConfiguration } from "../control/files.ts";
import { DEFAULT_SETTINGS, type Settings } from "../control/settings.ts";
import { cleanUp, type ApplyOptions } from "../control/shaper/apply.ts";
import { planFiles } from "../control/shaper/plan-files.ts";
import type { Direction } from "../core/both.ts";
import { type Problem, SluiceError, sluiceError } from "../core/errors.ts";
import { SiteTarget } from "../shaper/site-target.ts";
import { guard } from "../store/db.ts";
import { applyChange, type Errand, reasonOf } from "./changes.ts";
import * as store from "./store/configurations.ts";
import type { System } from "./system.ts";

/** What the keeper tells the rest of the daemon. */
export interface KeeperHooks {
  /** Other settings hold from now on. */
  readonly adopt: (configuration: Configuration) => void;
  /** Whether by these settings the bakery builds the tree, so that the keeper must not. */
  readonly bakeryDrives: (settings: Settings) => boolean;
  /** The tree in the kernel is another from now on. */
  readonly shaped: () => void;
  /** Lets the watcher look soon. */
  readonly wake: (reason: string) => void;
}

/** How a change is asked for. */
export interface Request {
  readonly who: string;
  /** The tag that the state must have. */
  readonly ifMatch?: string | undefined;
}

type Reloaded = Output<"config.reload">;

/** What a look at the kernel came to. */
export type Look = "calm" | "repaired" | "failed";

const BY_NETLINK: ApplyOptions = { executor: { kind: "netlink" } };
const NOTHING = { add: 0, change: 0, remove: 0 };
const LINES_KEPT = 20;

/** Codes that say that an interface is not there, which mends itself when it appears. */
const MISSING = ["INTERFACE_MISSING", "NETNS_MISSING"];

/** The keeper. Every public method is one errand of the {@link System.serial}. */
export class Keeper {
  readonly #system: System;
  readonly #hooks: KeeperHooks;
  #configuration: Configuration | undefined;
  #active: store.ActiveConfiguration | undefined;
  /** What is wrong with the files, when they were not taken; else what is worth knowing about them. */
  #problems: readonly Problem[] = [];
  /** Everything was taken away on purpose: nothing is put back until somebody asks for it. */
  #released = false;
  /** The tree has been in place: what differs from now on is somebody else's doing. */
  #applied = false;
  /** What differed when it was last told. */
  #told = "";
  /** When files were last taken, and whether, for the metrics: seconds since the epoch. */
  lastReload = { successful: false, seconds: 0 };

  constructor(system: System, hooks: KeeperHooks) {
    this.#system = system;
    this.#hooks = hooks;
  }

  /** The configuration that the kernel is held to; undefined before the start. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /** The same as it is kept; undefined when none was ever carried out. */
  get active(): store.ActiveConfiguration | undefined {
    return this.#active;
  }

  /** What holds. */
  get settings(): Settings {
    return this.#configuration?.settings ?? DEFAULT_SETTINGS;
  }

  /** What is to be said of the files. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** What stands for the state in If-Match. */
  get tag(): string {
    const off = this.#released ? "-off" : "";
    return `config-${this.#active?.id ?? 0}${this.#active?.pinned ? "-pinned" : ""}${off}`;
  }

  /** Whether the keeper has a tree to keep. */
  get keeps(): boolean {
    return this.#configuration?.inputs !== undefined && !this.#released && !this.#hooks.bakeryDrives(this.settings);
  }

  /**
   * A node of the tree that is kept, as something with a rate: the rate holds instead of the planned one, through every
   * change that the keeper makes, until it is released. It need not be there now. Dispose it.
   */
  siteTarget(name: string, direction: Direction): SiteTarget {
    const { place, ports, serial } = this.#system;
    const target = new SiteTarget({
      name,
      direction,
      live: place.live,
      ...(place.netns !== undefined && { netns: place.netns }),
      ports,
      serial: (body) => serial.brief(body),
      absence: () => this.#absence(),
    });
    // Which tree is in the kernel is kept from now on, and nobody has it yet.
    if (!place.live.sites && this.keeps) this.#hooks.wake(`site "${name}" is driven`);
    return target;
  }

  /** Why there is no tree with sites in it. */
  #absence(): string | undefined {
    if (this.keeps) return undefined;
    if (!this.#configuration?.inputs) return "there is no [shaper] in the configuration";
    if (this.#released) return "shaping was taken away, until apply or reload";
    return "the bakery builds the tree, and its nodes have no names";
  }

  /**
   * Takes the files, or what was last good when they have errors; what cannot be applied yet is tried again later.
   *
   * @throws SluiceError when the files have errors and nothing good is kept
   */
  start(): Promise<void> {
    return this.#system.serial.run(async () => {
      this.#active = this.#store((db) => store.readActive(db));
      const { configuration, taken } = this.#atStart(this.#system.place.config);
      if (taken) this.#taken(configuration);
      if (!configuration.inputs) await this.#release(this.#lastKept());
      this.#configuration = configuration;
      // What somebody went back to may be unreadable for this version: then the files hold, and it is pinned no more.
      const pinned = this.#active?.pinned === true && !taken;
      if (pinned) this.#system.journal.health.raise("CONFIG_PINNED", { id: this.#active!.id });
      this.#hooks.adopt(configuration);
      try {
        await this.#shape(configuration, { who: "start", configuration: this.#active?.id ?? null }, BY_NETLINK);
        if (!pinned) this.#activate(configuration, "start");
      } catch (error) {
        this.#notApplied(error);
      }
    });
  }

  /** What stood on an interface may be gone with it: what is missing then is nobody's doing. */
  lost(): void {
    this.#applied = false;
  }

  /** Takes the files anew. @throws SluiceError with everything that is wrong; then nothing was changed */
  reload(request: Request): Promise<Reloaded> {
    return this.#system.serial.run(() => {
      this.#expect(request.ifMatch, this.tag);
      return this.#carryOut(this.#readFiles(), { who: request.who, configuration: null }, BY_NETLINK);
    });
  }

  /** The same with the choices of `sluice apply`; the tag is a plan's. */
  apply(request: Request, options: ApplyOptions): Promise<Output<"shaper.apply">> {
    return this.#system.serial.run(async () => {
      const configuration = this.#readFiles();
      if (!configuration.inputs) throw this.#unconfigured();
      if (this.#hooks.bakeryDrives(configuration.settings)) throw sluiceError("BAKERY_DRIVING");
      const all = { ...options, ...(request.ifMatch !== undefined && { ifMatch: request.ifMatch }) };
      const errand = { who: request.who, configuration: null };
      const { summary, milliseconds, warnings } = await this.#carryOut(configuration, errand, all);
      return { schema: "sluice/apply/1", summary, milliseconds, warnings };
    });
  }

  /** Holds the kernel to a configuration that is kept, until the next reload. @throws SluiceError NOT_FOUND */
  rollback(request: Request, id: number): Promise<Reloaded> {
    return this.#system.serial.run(async () => {
      this.#expect(request.ifMatch, this.tag);
      const configuration = this.#kept(id);
      const errand = { who: request.who, configuration: id };
      const output = await this.#carryOut(configuration, errand, BY_NETLINK, id);
      this.#system.journal.health.raise("CONFIG_PINNED", { id });
      return output;
    });
  }

  /** Takes everything away, and puts nothing back. */
  cleanup(request: Request, lockTimeout?: number): Promise<Output<"shaper.cleanup">> {
    return this.#system.serial.run(async () => {
      this.#expect(request.ifMatch, this.tag);
      const { inputs } = this.#configuration ?? {};
      if (!inputs) throw this.#unconfigured();
      const output = await cleanUp(this.#system.place, inputs.config, lockTimeout);
      this.#released = true;
      this.#applied = false;
      this.#hooks.shaped();
      this.#nothingMissing();
      this.#system.journal.health.raise("SHAPING_OFF");
      const message = `Everything on the link was taken away for ${request.who}, until apply or reload`;
      this.#system.journal.record("shaper.removed", "warning", message, { actions: output.actions.length });
      return output;
    });
  }

  /** Looks whether the kernel still holds what it is to hold, and mends it. */
  reconcile(reason: string): Promise<Look> {
    return this.#system.serial.run(async () => {
      const configuration = this.#configuration;
      if (!this.keeps || !configuration?.inputs) {
        this.#nothingMissing();
        return "calm";
      }
      try {
        return await this.#look(configuration, configuration.inputs, reason);
      } catch (error) {
        this.#notApplied(error);
        return "failed";
      }
    });
  }

  async #look(configuration: Configuration, inputs: Inputs, reason: string): Promise<Look> {
    const { journal, place } = this.#system;
    const { actions, summary } = await planFiles(place, inputs, {});
    if (actions.length === 0) return this.#inStep();
    const drifted = this.#applied;
    const what = `${summary.add} to add, ${summary.change} to change, ${summary.remove} to remove`;
    if (drifted && this.#told !== what) {
      const shown = actions.slice(0, LINES_KEPT).map(({ sign, text }) => `${sign} ${text}`);
      const message = `The kernel differs from the configuration (${reason}): ${what}`;
      journal.record("drift.found", "warning", message, { summary, actions: shown });
    }
    this.#told = what;
    if (drifted && configuration.settings.daemon.drift === "report") {
      journal.health.raise("DRIFT", { what });
      return "calm";
    }
    const errand = { who: drifted ? "drift" : "retry", configuration: this.#active?.id ?? null };
    await this.#shape(configuration, errand, BY_NETLINK);
    if (!this.#active?.pinned) this.#activate(configuration, errand.who);
    if (drifted) journal.record("drift.healed", "info", `What had drifted was put back: ${what}`, { summary });
    return "repaired";
  }

  #inStep(): "calm" {
    this.#applied = true;
    this.#told = "";
    this.#nothingMissing();
    return "calm";
  }

  #nothingMissing(): void {
    for (const code of ["APPLY_FAILED", "LINK_MISSING", "DRIFT"] as const) this.#system.journal.health.clear(code);
  }

  #notApplied(error: unknown): void {
    if (error instanceof SluiceError && error.code === "STATE_MOVED") return;
    this.#applied = false;
    const { health } = this.#system.journal;
    const missing = error instanceof SluiceError && MISSING.includes(error.code);
    const reason = reasonOf(error);
    if (missing) health.raise("LINK_MISSING", { reason });
    else health.raise("APPLY_FAILED", { reason });
    health.clear(missing ? "APPLY_FAILED" : "LINK_MISSING");
  }

  /** Carries a configuration out, whole or not at all. */
  async #carryOut(
    configuration: Configuration,
    errand: Errand,
    options: ApplyOptions,
    pinned?: number,
  ): Promise<Reloaded> {
    const before = this.#active?.digest;
    const holds = pinned === undefined && store.digestOf(configuration.files) === before;
    const applied = await this.#shape(configuration, errand, options).catch((error: unknown) => {
      // What holds already is not refused; it only could not be put in place again.
      if (holds) this.#notApplied(error);
      else if (pinned === undefined) this.#refused(error, false);
      throw error;
    });
    if (!configuration.inputs) await this.#release(this.#configuration);
    this.#configuration = configuration;
    this.#released = false;
    this.#system.journal.health.clear("SHAPING_OFF");
    if (pinned === undefined) {
      this.#activate(configuration, errand.who);
      this.#taken(configuration);
    } else this.#pin(pinned, errand.who);
    this.#hooks.adopt(configuration);
    const { summary, milliseconds, warnings } = applied;
    const changed = before !== this.#active?.digest || summary.add + summary.change + summary.remove > 0;
    return {
      schema: "sluice/reload/1",
      configuration: this.#active ?? null,
      changed,
      summary,
      milliseconds,
      warnings: [...new Set([...configuration.warnings, ...warnings])],
    };
  }

  async #shape(
    { inputs, settings, warnings }: Configuration,
    errand: Errand,
    options: ApplyOptions,
  ): Promise<Omit<Output<"shaper.apply">, "schema">> {
    if (!inputs || this.#hooks.bakeryDrives(settings))
      return { summary: NOTHING, milliseconds: 0, warnings: [...warnings] };
    const output = await applyChange(this.#system, inputs, options, errand);
    this.#hooks.shaped();
    this.#inStep();
    return output;
  }

  /** Takes away what an earlier configuration shaped, when this one shapes nothing. */
  async #release(before: Configuration | undefined): Promise<void> {
    if (!before?.inputs) return;
    try {
      const { actions } = await cleanUp(this.#system.place, before.inputs.config);
      this.#hooks.shaped();
      if (actions.length === 0) return;
      const message = "There is no [shaper] any more: what was shaped before was taken away";
      this.#system.journal.record("shaper.removed", "warning", message, { actions: actions.length });
    } catch (error) {
      this.#notApplied(error);
    }
  }

  /** Makes a configuration that was carried out the active one. */
  #activate(configuration: Configuration, who: string): void {
    const { journal } = this.#system;
    const before = this.#active;
    this.#keepActive((db) => store.keep(db, configuration.files, who, journal.now()));
    if (!this.#active || (before?.id === this.#active.id && before.pinned === this.#active.pinned)) return;
    const { id } = this.#active;
    journal.record("config.loaded", "info", `Configuration ${id} holds from now on (${who})`, { configuration: id });
  }

  #pin(id: number, who: string): void {
    this.#keepActive((db) => {
      store.pin(db, id);
      return store.readActive(db);
    });
    this.#system.journal.record("config.pinned", "warning", `Went back to configuration ${id} for ${who}`);
  }

  /** A store that fails is told of; what was done to the kernel stays done. */
  #keepActive(write: (db: System["db"]) => store.ActiveConfiguration | undefined): void {
    try {
      this.#active = this.#store(write);
    } catch (error) {
      this.#system.journal.health.raise("STORE_FAILING", { reason: reasonOf(error) });
    }
  }

  /** Files were read and are what holds. */
  #taken(configuration: Configuration): void {
    this.#problems = configuration.warnings;
    for (const code of ["CONFIG_REFUSED", "CONFIG_PINNED"] as const) this.#system.journal.health.clear(code);
    this.lastReload = { successful: true, seconds: this.#seconds() };
  }

  /** Now, in seconds since the epoch. */
  #seconds(): number {
    return Math.floor(this.#system.place.clock.now() / 1000);
  }

  #readFiles(): Configuration {
    try {
      return readConfiguration(this.#system.place.config);
    } catch (error) {
      this.#refused(error, true);
      throw error;
    }
  }

  /** What to begin with: what somebody went back to, or the files, or what was last good. */
  #atStart(path: string): { readonly configuration: Configuration; readonly taken: boolean } {
    const kept = this.#active?.pinned ? this.#lastKept() : undefined;
    if (kept) return { configuration: kept, taken: false };
    try {
      return { configuration: readConfiguration(path), taken: true };
    } catch (error) {
      this.#refused(error, true);
      const good = this.#lastKept();
      if (!good) throw error;
      return { configuration: good, taken: false };
    }
  }

  /** The active configuration as it is kept; undefined when there is none, or this version cannot read it any more. */
  #lastKept(): Configuration | undefined {
    if (!this.#active) return undefined;
    try {
      return this.#kept(this.#active.id);
    } catch (error) {
      const message = `Configuration ${this.#active.id} cannot be used any more: ${reasonOf(error)}`;
      this.#system.journal.record("config.refused", "warning", message);
      return undefined;
    }
  }

  /** Notes that files were not taken; nothing of them holds. */
  #refused(error: unknown, ofFiles: boolean): void {
    // Somebody else's change is under way, or the state moved: that is nothing against the files.
    if (!(error instanceof SluiceError) || ["STATE_MOVED", "LOCK_TIMEOUT"].includes(error.code)) return;
    const { journal } = this.#system;
    if (ofFiles) this.#problems = error.problems;
    this.lastReload = { successful: false, seconds: this.#seconds() };
    const errors = error.problems.filter(({ severity }) => severity === "error");
    const more = errors.length > 1 ? ` and ${errors.length - 1} more` : "";
    const reason = `${reasonOf(error)}${more}`;
    journal.record("config.refused", "warning", `The configuration was not taken: ${reason}`, {
      problems: error.problems.slice(0, LINES_KEPT),
    });
    journal.health.raise("CONFIG_REFUSED", { reason });
  }

  #kept(id: number): Configuration {
    const files = this.#store((db) => store.filesOf(db, id));
    const own = files.find(({ role }) => role === "sluice.toml");
    const hint = "sluice config list shows those that are kept";
    if (!own) throw sluiceError("NOT_FOUND", { noun: "configuration", id, hint });
    return readConfiguration(own.path, fromKept(files));
  }

  #expect(wanted: string | undefined, actual: string): void {
    if (wanted !== undefined && wanted !== actual) throw sluiceError("STATE_MOVED", { actual, wanted });
  }

  #unconfigured(): SluiceError {
    return sluiceError("SHAPER_UNCONFIGURED", { file: this.#system.place.config });
  }

  #store<T>(body: (db: System["db"]) => T): T {
    return guard(this.#system.place.paths.state, () => body(this.#system.db));
  }
}
