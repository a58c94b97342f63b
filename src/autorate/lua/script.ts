/** A Lua script as its thread is seen from outside: started from a file, and called with a deadline. */
import { basename } from "node:path";
import { type Clock, systemClock } from "../../core/clock.ts";
import { messageOf, SluiceError, sluiceError } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import { ScriptFault } from "../../linux/script/fault.ts";
import { ScriptThread } from "../../linux/script/thread.ts";
import { readText } from "../../linux/text-file.ts";
import type { Random } from "../model.ts";
import type {
  LuaFields,
  LuaLevel,
  LuaLog,
  LuaTable,
  ScriptAnswer,
  ScriptCall,
  ScriptGreeting,
  ScriptKind,
  ScriptRefusal,
  ScriptStart,
} from "./messages.ts";
import { wallOf } from "./wall.ts";

const log = logger("autorate", "lua");

/** What a script may take. Times in ms. */
export interface LuaLimits {
  /** For one call. */
  readonly deadline: number;
  /** For its start. */
  readonly startDeadline: number;
  /** Bytes. */
  readonly memory: number;
}

/** What a script may take when nothing else is said. Routers start with much else to do, and so do scripts. */
const LUA_LIMITS: LuaLimits = { deadline: 100, startDeadline: 10_000, memory: 16 * 2 ** 20 };

/** Lua notices by itself that it is late; the thread is ended only when it does not, so Lua is told an earlier time. */
const INSIDE = 0.8;
/** MiB of JavaScript's memory beside that of Lua. */
const HEAP = 64;

const PROGRAM = new URL("engine/script-worker.ts", import.meta.url);

/** What scripts of both kinds are given. */
export interface ScriptSurroundings {
  readonly random: Random;
  readonly clock?: Clock;
  readonly limits?: Partial<LuaLimits>;
  /** Random numbers in [0, 1) that come before the script's own, asked for at its start and before each call. */
  readonly draws?: () => readonly number[];
}

/** What a script is started with. */
export interface LuaScriptOptions extends ScriptSurroundings {
  readonly kind: ScriptKind;
  readonly path: string;
  readonly settings: LuaTable;
  readonly sections: LuaTable;
}

/** What became of a call. */
export type ScriptOutcome =
  | { readonly kind: "returned"; readonly fields?: LuaFields; readonly type: string }
  /** `away`: it was not there to be called, for it is being started again. */
  | { readonly kind: "failed" | "away"; readonly reason: string };

/** The log's own level for each of Lua's. */
const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
  FATAL: "fatal",
} as const satisfies Record<LuaLevel, string>;

const CODES = {
  syntax: "AUTORATE_LUA_SYNTAX",
  contract: "AUTORATE_LUA_CONTRACT",
  failed: "AUTORATE_LUA_FAILED",
} as const;

/** Why a script did not start, as an error for users. */
function startError(path: string, error: unknown): SluiceError {
  const where = { file: path };
  if (!(error instanceof ScriptFault) || error.kind !== "refused")
    return sluiceError("AUTORATE_LUA_FAILED", { reason: messageOf(error) }, { where, cause: error });
  const { stage, message, line } = error.detail as ScriptRefusal;
  return sluiceError(CODES[stage], { reason: message }, { where: { ...where, ...(line !== undefined && { line }) } });
}

/** A script that was started. Started again by itself, from the same text, when it was lost. */
export class LuaScript implements AsyncDisposable {
  readonly #path: string;
  readonly #options: LuaScriptOptions;
  readonly #limits: LuaLimits;
  readonly #clock: Clock;
  readonly #thread: ScriptThread<ScriptStart, ScriptCall, ScriptAnswer, ScriptGreeting>;

  private constructor(
    options: LuaScriptOptions,
    limits: LuaLimits,
    thread: ScriptThread<ScriptStart, ScriptCall, ScriptAnswer, ScriptGreeting>,
  ) {
    this.#path = options.path;
    this.#options = options;
    this.#limits = limits;
    this.#clock = options.clock ?? systemClock;
    this.#thread = thread;
    this.#write(thread.greeting.logs);
  }

  /**
   * Reads a script and starts it.
   *
   * @throws SluiceError FILE_UNREADABLE, FILE_ENCODING, AUTORATE_LUA_SYNTAX, AUTORATE_LUA_CONTRACT, AUTORATE_LUA_FAILED
   */
  static async open(options: LuaScriptOptions): Promise<LuaScript> {
    const { kind, path, settings, sections, random, clock = systemClock, draws } = options;
    const limits = { ...LUA_LIMITS, ...options.limits };
    const read = readText(path, "FILE_UNREADABLE");
    if ("problem" in read) throw new SluiceError([read.problem]);
    const configuration = (): ScriptStart => ({
      kind,
      name: basename(path),
      text: read.text,
      settings,
      sections,
      seed: Array.from({ length: 4 }, random),
      draws: draws?.() ?? [],
      wall: wallOf(clock.now()),
      memory: limits.memory,
      within: limits.startDeadline * INSIDE,
    });
    try {
      const thread = await ScriptThread.start<ScriptStart, ScriptCall, ScriptAnswer, ScriptGreeting>({
        program: PROGRAM,
        name: `lua ${basename(path)}`,
        heap: HEAP,
        configuration,
        deadline: limits.deadline,
        startDeadline: limits.startDeadline,
        told: ({ kind: what, reason }) =>
          what === "lost"
            ? log.warn("{path} was ended and is started again: {reason}", { path, reason })
            : log.info("{path} runs again", { path }),
      });
      return new LuaScript(options, limits, thread);
    } catch (error) {
      throw startError(path, error);
    }
  }

  /** What it calls itself, else the file's name. */
  get name(): string {
    return this.#thread.greeting.name;
  }

  /** Calls it. Never throws, and never takes longer than the deadline. */
  async call(data: LuaTable, hidden: LuaTable = {}): Promise<ScriptOutcome> {
    try {
      const { logs, ...outcome } = await this.#thread.call({
        data,
        hidden,
        draws: this.#options.draws?.() ?? [],
        wall: wallOf(this.#clock.now()),
        within: this.#limits.deadline * INSIDE,
      });
      this.#write(logs);
      return outcome;
    } catch (error) {
      const away = error instanceof ScriptFault && error.kind === "away";
      return { kind: away ? "away" : "failed", reason: messageOf(error) };
    }
  }

  #write(logs: readonly LuaLog[]): void {
    for (const { level, message } of logs) log[LEVELS[level]]("{path}: {message}", { path: this.#path, message });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
