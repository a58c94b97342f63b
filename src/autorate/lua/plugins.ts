/** Plugins written in Lua: asked one after the other once the controller has decided. docs/autorate-lua.md has their contract. */
import { basename } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import { type PluginReadings, readingsTable } from "./bridge.ts";
import { applyResults, type PluginOutcome } from "./overrides.ts";
import { LuaScript, type ScriptSurroundings } from "./script.ts";
import { type PluginSettings, settingsTable } from "./settings.ts";
import { Throttle } from "./throttle.ts";

const log = logger("autorate", "lua");

/** Failures in a row after which a plugin is not asked any more. */
const ENOUGH = 5;

/** How a plugin does. */
export interface PluginState {
  /** What it calls itself, else the file's name. */
  readonly name: string;
  readonly path: string;
  readonly state: "running" | "disabled";
  /** Why it is disabled, or what it last failed with. */
  readonly reason?: string;
  /** Failures in a row. */
  readonly failures: number;
}

/** What plugins are given by the one who asks them. */
export interface PluginHooks extends ScriptSurroundings {
  /** A plugin will not be asked any more: it could not be loaded, or failed too often. */
  readonly disabled?: (state: PluginState) => void;
}

/** One plugin. */
class Plugin {
  state: PluginState;
  readonly #script: LuaScript | undefined;
  readonly #hooks: PluginHooks;
  readonly #throttle = new Throttle();
  /** Waited for in the end. */
  ending: Promise<void> | undefined;

  private constructor(path: string, hooks: PluginHooks, script: LuaScript | undefined) {
    this.#hooks = hooks;
    this.#script = script;
    this.state = { name: script?.name ?? basename(path), path, state: "running", failures: 0 };
  }

  /** One that cannot be loaded is disabled at once. */
  static async open(path: string, settings: PluginSettings, hooks: PluginHooks): Promise<Plugin> {
    const { fields, sections } = settingsTable(settings);
    try {
      const script = await LuaScript.open({ ...hooks, kind: "plugin", path, settings: fields, sections });
      return new Plugin(path, hooks, script);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const plugin = new Plugin(path, hooks, undefined);
      plugin.#disable(error.problems.map(({ message }) => message).join("; "));
      return plugin;
    }
  }

  #disable(reason: string): void {
    this.state = { ...this.state, state: "disabled", reason };
    log.error("{path} is disabled: {reason}", { path: this.state.path, reason });
    this.end();
    this.#hooks.disabled?.(this.state);
  }

  /** Ends its thread, without waiting for that. */
  end(): void {
    this.ending ??= this.#script?.[Symbol.asyncDispose]();
  }

  /** Asks it; the outcome with what it changes. */
  async process(readings: PluginReadings, before: PluginOutcome): Promise<PluginOutcome> {
    const { name, state } = this.state;
    if (state === "disabled" || !this.#script) return before;
    const { data, hidden } = readingsTable({
      ...readings,
      next_dl_rate: before.rates.download,
      next_ul_rate: before.rates.upload,
      dl_max_delta_owd: before.thresholds.download,
      ul_max_delta_owd: before.thresholds.upload,
    });
    const outcome = await this.#script.call(data, hidden);
    if (outcome.kind !== "returned") {
      // Not being there is what came of an earlier failure, and no new one.
      if (outcome.kind === "failed") this.#failed(outcome.reason, readings.now_s);
      return { ...before, notes: [...before.notes, `${name}: ${outcome.reason}`] };
    }
    this.state = { ...this.state, failures: 0 };
    const { outcome: after, ignored } = applyResults(before, name, outcome.fields ?? {});
    for (const text of ignored) this.#warn(text, readings.now_s);
    return after;
  }

  #failed(reason: string, now: number): void {
    const failures = this.state.failures + 1;
    this.state = { ...this.state, failures, reason };
    this.#warn(`it failed: ${reason}`, now, "failed");
    if (failures >= ENOUGH) this.#disable(`it failed ${failures} times in a row: ${reason}`);
  }

  /** Says it, but not again and again. */
  #warn(text: string, now: number, kind = text): void {
    const held = this.#throttle.admit(kind, now);
    const rest = held ? ` (and ${held} times before)` : "";
    if (held !== undefined) log.warn("{path}: {text}{rest}", { path: this.state.path, text, rest });
  }
}

/** All plugins of a link, each in a thread of its own. Without plugins nothing is loaded for them. */
export class Plugins implements AsyncDisposable {
  readonly #plugins: readonly Plugin[];

  private constructor(plugins: readonly Plugin[]) {
    this.#plugins = plugins;
  }

  /** Loads them. One that cannot be loaded is disabled, and nothing else comes of it. */
  static async open(paths: readonly string[], settings: PluginSettings, hooks: PluginHooks): Promise<Plugins> {
    const plugins: Plugin[] = [];
    // One after the other: together they would share the processor, and each its deadline.
    for (const path of paths) plugins.push(await Plugin.open(path, settings, hooks));
    return new Plugins(plugins);
  }

  /** How they do, in their order. */
  get states(): readonly PluginState[] {
    return this.#plugins.map(({ state }) => state);
  }

  /** Asks all of them, in their order; each sees the rates and thresholds that the one before left. Never throws. */
  async process(readings: PluginReadings): Promise<PluginOutcome> {
    let outcome: PluginOutcome = {
      rates: { download: readings.next_dl_rate, upload: readings.next_ul_rate },
      thresholds: { download: readings.dl_max_delta_owd, upload: readings.ul_max_delta_owd },
      notes: [],
    };
    for (const plugin of this.#plugins) outcome = await plugin.process(readings, outcome);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const plugin of this.#plugins) plugin.end();
    await Promise.all(this.#plugins.flatMap(({ ending }) => ending ?? []));
  }
}
