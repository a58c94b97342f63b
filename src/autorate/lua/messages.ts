/** What goes between a script's thread and the one that asks it: plain data that survives structured cloning. */
import type { Wall } from "./wall.ts";

/** A value that is given to Lua. */
export type LuaValue = undefined | boolean | number | string | readonly LuaValue[] | LuaTable;
/** A table with names as keys. */
export interface LuaTable {
  readonly [name: string]: LuaValue;
}

/**
 * A value that came from Lua. A string that Lua takes for a number has become one, as in Lua's own arithmetic; whatever is
 * neither number, boolean nor string is told by its type.
 */
export type LuaScalar = number | boolean | string | { readonly type: string };
/** Fields of a table that came from Lua; those that are nil are left out. */
export type LuaFields = Readonly<Record<string, LuaScalar>>;

/** Levels a script may log with. */
export const LUA_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
/** One of {@link LUA_LEVELS}. */
export type LuaLevel = (typeof LUA_LEVELS)[number];

/** Something that a script logged. */
export interface LuaLog {
  readonly level: LuaLevel;
  readonly message: string;
}

/** What a script is for, which says what functions it must have. */
export type ScriptKind = "controller" | "plugin";

/** What a script's thread is started with. */
export interface ScriptStart {
  readonly kind: ScriptKind;
  /** The file's name, shown before the line in its messages. */
  readonly name: string;
  readonly text: string;
  /** Given to its `configure` or `initialise`. */
  readonly settings: LuaTable;
  /** Answered by `settings.plugin(name)`. */
  readonly sections: LuaTable;
  /** Four numbers in [0, 1) that its random numbers start from. */
  readonly seed: readonly number[];
  /** Random numbers in [0, 1) that it is given before its own sequence begins. */
  readonly draws: readonly number[];
  readonly wall: Wall;
  /** Bytes that Lua may have. */
  readonly memory: number;
  /** For all of the start, ms. */
  readonly within: number;
}

/** Told when it has started. */
export interface ScriptGreeting {
  /** What it calls itself. */
  readonly name: string;
  /** Logged while it started. */
  readonly logs: readonly LuaLog[];
}

/** Why a script cannot be used. */
export interface ScriptRefusal {
  /** It is no Lua; it lacks what it must have; it failed when it was run. */
  readonly stage: "syntax" | "contract" | "failed";
  readonly message: string;
  readonly line?: number;
}

/** One call of a script's function. */
export interface ScriptCall {
  /** Its argument. */
  readonly data: LuaTable;
  /** Fields that the argument has, too, but that are not found by going through it. */
  readonly hidden: LuaTable;
  readonly draws: readonly number[];
  readonly wall: Wall;
  /** ms */
  readonly within: number;
}

/** What became of it. */
export type ScriptAnswer =
  /** What it returned: the fields that are of interest, or what type it is when it is no table. */
  | { readonly kind: "returned"; readonly fields?: LuaFields; readonly type: string; readonly logs: readonly LuaLog[] }
  | { readonly kind: "failed"; readonly reason: string; readonly logs: readonly LuaLog[] };
