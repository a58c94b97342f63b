/** A script in its thread: started, and called. */
import { readFileSync } from "node:fs";
import { type Served, StartRefusal } from "../../../linux/script/serve.ts";
import {
  LUA_LEVELS,
  type LuaFields,
  type LuaLevel,
  type LuaLog,
  type LuaScalar,
  type ScriptAnswer,
  type ScriptCall,
  type ScriptGreeting,
  type ScriptKind,
  type ScriptRefusal,
  type ScriptStart,
} from "../messages.ts";
import { LuaFault } from "./fault.ts";
import { ScriptRandom } from "./random.ts";
import { type LuaRef, LuaState } from "./state.ts";

const HOST = new URL("host.lua", import.meta.url);
/** Lines that one call may log; the rest is counted. */
const LINES = 50;
/** What Lua shows of a chunk's name in its messages. */
const CHUNK_BYTES = 50;

/** The function that is called, and the fields of its result that are of interest. */
const CONTRACTS: Readonly<Record<ScriptKind, { readonly called: string; readonly fields: readonly string[] }>> = {
  controller: {
    called: "calculate",
    fields: ["next_dl_rate", "dl_rate", "next_ul_rate", "ul_rate", "reselect", "trigger_reselect"],
  },
  plugin: {
    called: "process",
    fields: ["ul_max_delta_owd", "dl_max_delta_owd", "next_ul_rate", "next_dl_rate"],
  },
};

const refuse = (refusal: ScriptRefusal): never => {
  throw new StartRefusal(refusal);
};

/** Gathers what is logged during a call. */
class Logs {
  #lines: LuaLog[] = [];
  #dropped = 0;

  add(level: string, message: string): void {
    if (this.#lines.length === LINES) this.#dropped += 1;
    else this.#lines.push({ level: LUA_LEVELS.find((known) => known === level) ?? "INFO", message });
  }

  /** All since the last time. */
  take(): LuaLog[] {
    const lines = this.#lines;
    const level: LuaLevel = "WARN";
    if (this.#dropped > 0) lines.push({ level, message: `${this.#dropped} more lines were logged in one call` });
    this.#lines = [];
    this.#dropped = 0;
    return lines;
  }
}

/** The text as Lua's own loader takes it: the first line of a program (`#!`) is a comment. */
const sourceOf = (text: string): string => (text.startsWith("#") ? `--${text}` : text);

class Script implements Served<ScriptCall, ScriptAnswer, ScriptGreeting> {
  greeting!: ScriptGreeting;
  readonly #state: LuaState;
  readonly #start: ScriptStart;
  readonly #chunk: string;
  readonly #random: ScriptRandom;
  readonly #logs = new Logs();
  readonly #host: LuaRef;
  readonly #settings: LuaRef;
  /** By the clock of `performance`. */
  readonly #startBy: number;
  #called!: LuaRef;
  /** The last call failed for want of memory. */
  #starved = false;

  constructor(state: LuaState, start: ScriptStart) {
    this.#startBy = performance.now() + start.within;
    this.#state = state;
    this.#start = start;
    this.#chunk = start.name.slice(-CHUNK_BYTES);
    this.#random = new ScriptRandom(start.seed);
    this.#random.give(start.draws);
    this.#settings = state.keep(start.settings);
    this.#host = state.keep({
      draw: state.function(() => this.#random.draw()),
      emit: state.function((text) => this.#logs.add(text(1), text(2))),
      wall: { ...start.wall },
      settings: this.#settings,
      sections: start.sections,
    });
    const host = state.compile(readFileSync(HOST, "utf8"), "sluice");
    this.#run(host, [this.#host]);
  }

  /** Calls a function while starting. */
  #run(called: LuaRef, args: Parameters<LuaState["call"]>[1]): LuaRef {
    return this.#state.call(called, args, Math.max(1, this.#startBy - performance.now()));
  }

  /** A field, when it is a function. */
  #functionIn(table: LuaRef, name: string): LuaRef | undefined {
    const field = this.#state.field(table, name);
    const type = this.#state.type(field);
    if (type !== "function" && type !== "nil")
      refuse({ stage: "contract", message: `${name} is a ${type}, wanted a function` });
    return type === "function" ? field : undefined;
  }

  /** @throws StartRefusal, LuaFault */
  begin(): void {
    const state = this.#state;
    const { kind, text } = this.#start;
    if (text.startsWith("\u{1b}")) refuse({ stage: "contract", message: "it is compiled, wanted the source" });
    let returned = this.#run(state.compile(sourceOf(text), this.#chunk), []);
    const type = state.type(returned);
    if (type !== "table") refuse({ stage: "contract", message: `it returns ${type}, wanted a table of functions` });
    const { called } = CONTRACTS[kind];
    if (kind === "controller") {
      // That it lacks calculate is told before configure has a chance to fail.
      this.#need(returned, called);
      const configure = this.#functionIn(returned, "configure") ?? this.#functionIn(returned, "init");
      if (configure) this.#run(configure, [this.#settings]);
    } else {
      const initialise = this.#functionIn(returned, "initialise");
      if (initialise) {
        const made = this.#run(initialise, [state.field(this.#host, "requires"), this.#settings]);
        if (state.type(made) === "table") returned = made;
      }
    }
    this.#called = this.#need(returned, called);
    const name = state.scalar(state.field(returned, "name"));
    this.greeting = { name: typeof name === "string" ? name : this.#start.name, logs: this.#logs.take() };
  }

  #need(table: LuaRef, name: string): LuaRef {
    return (
      this.#functionIn(table, name) ??
      refuse({ stage: "contract", message: `the table that it returns has no function ${name}` })
    );
  }

  answer(call: ScriptCall): ScriptAnswer {
    this.#random.give(call.draws);
    const state = this.#state;
    state.set(this.#host, "wall", { ...call.wall });
    const data = state.keep({ ...call.data, ...(this.#start.kind === "controller" && { settings: this.#settings }) });
    if (Object.keys(call.hidden).length > 0) state.hide(data, call.hidden);
    try {
      const returned = state.call(this.#called, [data], call.within);
      this.#starved = false;
      const type = state.type(returned);
      const fields = type === "table" ? this.#read(returned) : undefined;
      state.free(returned);
      return { kind: "returned", ...(fields && { fields }), type, logs: this.#logs.take() };
    } catch (error) {
      if (!(error instanceof LuaFault)) throw error;
      // Twice in a row, it is what it keeps that leaves too little: the thread is started again without.
      if (error.kind === "memory" && this.#starved) throw error;
      this.#starved = error.kind === "memory";
      const place = error.line === undefined ? "" : `line ${error.line}: `;
      return { kind: "failed", reason: `${place}${error.message}`, logs: this.#logs.take() };
    } finally {
      state.free(data);
    }
  }

  #read(table: LuaRef): LuaFields {
    const found: Record<string, LuaScalar> = {};
    for (const name of CONTRACTS[this.#start.kind].fields) {
      const field = this.#state.field(table, name);
      const value = this.#state.scalar(field);
      this.#state.free(field);
      if (value !== undefined) found[name] = value;
    }
    return found;
  }
}

/** Starts a script. @throws StartRefusal with a {@link ScriptRefusal} */
export async function openScript(start: ScriptStart): Promise<Served<ScriptCall, ScriptAnswer, ScriptGreeting>> {
  const script = new Script(await LuaState.create(start.memory), start);
  try {
    script.begin();
  } catch (error) {
    if (!(error instanceof LuaFault)) throw error;
    const { kind, message, line } = error;
    refuse({ stage: kind === "syntax" ? "syntax" : "failed", message, ...(line !== undefined && { line }) });
  }
  return script;
}
