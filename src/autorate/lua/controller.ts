/** A controller written in Lua. docs/autorate-lua.md says what its script must have and is given. */
import { basename } from "node:path";
import { both, type Both } from "../../core/both.ts";
import { logger } from "../../core/log.ts";
import type { Options } from "../config.ts";
import type { Driver } from "../controllers/controller.ts";
import type { Decision, Setup, TickInput } from "../model.ts";
import { controllerData, readWanted, type Wanted } from "./bridge.ts";
import { LuaScript, type ScriptSurroundings } from "./script.ts";
import { type PluginSettings, settingsTable } from "./settings.ts";
import { Throttle } from "./throttle.ts";

const log = logger("autorate", "lua");

/** What a Lua controller is made of. */
export interface LuaControllerOptions extends ScriptSurroundings {
  readonly path: string;
  readonly setup: Setup;
  readonly settings: PluginSettings;
  /** The script's own options: given to `configure` beside the settings, and as `options`. */
  readonly options: Options;
  /** What a tick that fails makes of the rates: the least, or what they are. */
  readonly onError: "min" | "hold";
}

/** Runs a script's `calculate`. A tick that fails is a decision, too: its branch is `lua-error`, with the reason in `blocked`. */
export class LuaController implements Driver {
  readonly name: string;
  readonly period: number;
  readonly #options: LuaControllerOptions;
  readonly #script: LuaScript;
  readonly #throttle = new Throttle();
  #previous: Both<number>;

  private constructor(options: LuaControllerOptions, script: LuaScript) {
    this.#options = options;
    this.#script = script;
    this.#previous = options.setup.bytes;
    this.name = basename(options.path);
    this.period = options.setup.period;
  }

  /** Starts the script. @throws SluiceError what is wrong with it, with file and line */
  static async open(options: LuaControllerOptions): Promise<LuaController> {
    const { fields, sections } = settingsTable(options.settings);
    const settings = { ...fields, ...options.options, options: options.options };
    const script = await LuaScript.open({ ...options, kind: "controller", settings, sections });
    return new LuaController(options, script);
  }

  async decide(input: TickInput): Promise<Decision> {
    const { setup, settings } = this.#options;
    const data = controllerData(input, {
      start: setup.now,
      previous: this.#previous,
      highLoad: settings.high_load_level,
      histsize: settings.histsize,
    });
    this.#previous = both((d) => input.directions[d].bytes);
    const wanted = await this.#ask(data);
    if ("reason" in wanted) return this.#failed(input, wanted.reason);
    const { rates, reselect } = wanted;
    return { ...both((d) => ({ rate: rates[d], branch: "lua" })), reselect };
  }

  async #ask(data: ReturnType<typeof controllerData>): Promise<Wanted | { readonly reason: string }> {
    const outcome = await this.#script.call(data);
    if (outcome.kind !== "returned") return outcome;
    if (!outcome.fields) return { reason: `calculate returned ${outcome.type}, wanted a table` };
    return readWanted(outcome.fields);
  }

  #failed(input: TickInput, reason: string): Decision {
    const { path, onError } = this.#options;
    const held = this.#throttle.admit("failed", input.now);
    const rest = held ? ` (and ${held} ticks before)` : "";
    if (held !== undefined) log.error("{path} failed: {reason}{rest}", { path, reason, rest });
    return both((d) => {
      const { rate, bounds } = input.directions[d];
      return { rate: onError === "hold" ? rate : bounds.min, branch: "lua-error", blocked: reason };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#script[Symbol.asyncDispose]();
  }
}
