/**
 * Which configuration the kernel is held to. Files are read whole and checked whole; only what was carried out becomes the
 * active configuration, and is kept with its files, so that there is always one to go back to.
 */
import type { Output } from "../api/routes.ts";
import { type Configuration, fromKept, readConfiguration } from "../control/files.ts";
import { DEFAULT_SETTINGS, type Settings } from "../control/settings.ts";
import { cleanUp, type ApplyOptions } from "../control/shaper/apply.ts";
import { planFiles } from "../control/shaper/plan-files.ts";
import { type Problem, SluiceError, sluiceError } from "../core/errors.ts";
import { guard } from "../store/db.ts";
import { applyChange, type Errand, reasonOf } from "./changes.ts";
import * as store from "./store/configurations.ts";
import type { System } from "./system.ts";

/** What the keeper tells the rest of the daemon. */
export interface KeeperHooks {
  /** Other settings hold from now on. */
  readonly adopt: (settings: Settings) => void;
  /** Whether the bakery builds the tree, so that the keeper must not. */
  readonly bakeryDrives: () => boolean;
}

/** How a change is asked for. */
export interface Request {
  readonly who: string;
  /** The tag that the state must have. */
  readonly ifMatch?: string | undefined;
}

type Reloaded = Output<"config.reload">;

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
    return `config-${this.#active?.id ?? 0}${this.#active?.pinned ? "-pinned" : ""}`;
  }

  /** Whether the keeper has a tree to keep. */
  get keeps(): boolean {
    return this.#configuration?.inputs !== undefined && !this.#released && !this.#hooks.bakeryDrives();
  }

  /**
   * Takes the files, or what was last good when they have errors; what cannot be applied yet is tried again later.
   *
   * @throws SluiceError when the files have errors and nothing good is kept
   */
  start(): Promise<void> {
    return this.#system.serial.run(async () => {
      const { path } = this.#store((db) => {
        this.#active = store.readActive(db);
        return { path: this.#system.place.config };
      });
      const configuration = this.#active?.pinned ? this.#kept(this.#active.id) : this.#readOrLastGood(path);
      this.#configuration = configuration;
      if (this.#active?.pinned) this.#system.journal.health.raise("CONFIG_PINNED", { id: this.#active.id });
      this.#hooks.adopt(configuration.settings);
      await this.#tryApply(configuration, "start");
    });
  }

  /** Takes the files anew. @throws SluiceError with everything that is wrong; then nothing was changed */
  reload(request: Request): Promise<Reloaded> {
    return this.#system.serial.run(() => {
      this.#expect(request.ifMatch, this.tag);
      return this.#carryOut(
        this.#readFiles(),
        { who: request.who, configuration: null },
        { executor: { kind: "netlink" } },
      );
    });
  }

  /** The same with the choices of `sluice apply`; the tag is a plan's. */
  apply(request: Request, options: ApplyOptions): Promise<Output<"shaper.apply">> {
    return this.#system.serial.run(async () => {
      const configuration = this.#readFiles();
      if (!configuration.inputs) throw this.#unconfigured();
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
      const output = await this.#carryOut(
        configuration,
        { who: request.who, configuration: id },
        {
          executor: { kind: "netlink" },
        },
        id,
      );
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
      this.#system.journal.health.raise("SHAPING_OFF");
      const message = `Everything on the link was taken away for ${request.who}, until apply or reload`;
      this.#system.journal.record("shaper.removed", "warning", message, { actions: output.actions.length });
      return output;
    });
  }

  /**
   * Looks whether the kernel still holds what it is to hold, and mends it.
   *
   * @returns how many actions were wrong
   */
  reconcile(reason: string): Promise<number> {
    return this.#system.serial.run(async () => {
      const { journal, place } = this.#system;
      const configuration = this.#configuration;
      if (!this.keeps || !configuration?.inputs) return 0;
      try {
        const { actions, summary } = await planFiles(place, configuration.inputs, {});
        journal.health.clear("LINK_MISSING");
        if (actions.length === 0) return this.#inStep();
        const shown = actions.slice(0, LINES_KEPT).map(({ sign, text }) => `${sign} ${text}`);
        const what = `${summary.add} to add, ${summary.change} to change, ${summary.remove} to remove`;
        journal.record("drift.found", "warning", `The kernel differs from the configuration (${reason}): ${what}`, {
          summary,
          actions: shown,
        });
        if (configuration.settings.daemon.drift === "report") {
          journal.health.raise("DRIFT", { what });
          return 0;
        }
        await this.#tryApply(configuration, "drift");
        journal.record("drift.healed", "info", `What had drifted was put back: ${what}`, { summary });
        return actions.length;
      } catch (error) {
        this.#notApplied(error);
        return 0;
      }
    });
  }

  #inStep(): number {
    const { health } = this.#system.journal;
    health.clear("DRIFT");
    health.clear("APPLY_FAILED");
    return 0;
  }

  /** Applies what is already decided on; what stands against it becomes a condition. */
  async #tryApply(configuration: Configuration, who: string): Promise<void> {
    try {
      await this.#shape(
        configuration,
        { who, configuration: this.#active?.id ?? null },
        { executor: { kind: "netlink" } },
      );
      if (!this.#active?.pinned) this.#keep(configuration, who);
    } catch (error) {
      if (who === "drift") throw error;
      this.#notApplied(error);
    }
  }

  #notApplied(error: unknown): void {
    if (error instanceof SluiceError && error.code === "STATE_MOVED") return;
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
    const applied = await this.#shape(configuration, errand, options).catch((error: unknown) => {
      // What holds already is not refused; it only could not be put in place again.
      if (store.digestOf(configuration.files) === this.#active?.digest && pinned === undefined) this.#notApplied(error);
      else if (error instanceof SluiceError && error.code !== "STATE_MOVED") this.#refused(error, false);
      throw error;
    });
    this.#configuration = configuration;
    this.#released = false;
    this.#system.journal.health.clear("SHAPING_OFF");
    if (pinned === undefined) this.#keep(configuration, errand.who);
    else {
      this.#store((db) => store.pin(db, pinned));
      this.#active = this.#store((db) => store.readActive(db));
      this.#system.journal.record("config.pinned", "warning", `Went back to configuration ${pinned} for ${errand.who}`);
    }
    this.#hooks.adopt(configuration.settings);
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
    { inputs, warnings }: Configuration,
    errand: Errand,
    options: ApplyOptions,
  ): Promise<Omit<Output<"shaper.apply">, "schema">> {
    if (!inputs || this.#hooks.bakeryDrives()) return { summary: NOTHING, milliseconds: 0, warnings: [...warnings] };
    const output = await applyChange(this.#system, inputs, options, errand);
    const { health } = this.#system.journal;
    for (const code of ["APPLY_FAILED", "LINK_MISSING", "DRIFT"] as const) health.clear(code);
    return output;
  }

  #keep(configuration: Configuration, who: string): void {
    const { journal } = this.#system;
    const before = this.#active;
    this.#active = this.#store((db) => store.keep(db, configuration.files, who, journal.now()));
    if (who === "start" && this.#problems.some(({ severity }) => severity === "error")) return;
    this.#problems = configuration.warnings;
    for (const code of ["CONFIG_REFUSED", "CONFIG_PINNED"] as const) journal.health.clear(code);
    this.lastReload = { successful: true, seconds: Math.floor(Date.now() / 1000) };
    if (before?.id === this.#active.id && before.pinned === this.#active.pinned) return;
    const { id } = this.#active;
    journal.record("config.loaded", "info", `Configuration ${id} holds from now on (${who})`, { configuration: id });
  }

  #readFiles(): Configuration {
    try {
      return readConfiguration(this.#system.place.config);
    } catch (error) {
      if (error instanceof SluiceError) this.#refused(error, true);
      throw error;
    }
  }

  #readOrLastGood(path: string): Configuration {
    try {
      return readConfiguration(path);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#refused(error, true);
      if (!this.#active) throw error;
      return this.#kept(this.#active.id);
    }
  }

  /** Notes that files were not taken; nothing of them holds. */
  #refused(error: SluiceError, ofFiles: boolean): void {
    const { journal } = this.#system;
    if (ofFiles) this.#problems = error.problems;
    this.lastReload = { successful: false, seconds: Math.floor(Date.now() / 1000) };
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
