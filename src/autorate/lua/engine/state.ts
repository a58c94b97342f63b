/**
 * One Lua state with its limits: a deadline for each call, by a hook that Lua calls as it runs, and a cap on its memory.
 * The libraries that reach outside (io, os, package, debug) are never opened in it.
 */
import type { LuaScalar } from "../messages.ts";
import {
  LUA_GCCOLLECT,
  LUA_GLOBALSINDEX,
  LUA_MASKCOUNT,
  LUA_REGISTRYINDEX,
  LUA_STATUS,
  LUA_TYPE,
  loadLua,
  type LuaC,
  type LuaThread,
} from "./api.ts";
import { LuaFault } from "./fault.ts";

/** Instructions between two looks at the clock. */
const LOOK = 1000;
/** Bytes of a string that are looked at. */
const LONGEST = 2000;

/** A value that is kept in Lua. */
export class LuaRef {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** What can be given to Lua: plain data, and what is kept there. */
export type Pushable = undefined | boolean | number | string | LuaRef | readonly Pushable[] | PushableTable;
/** A table with names as keys. */
export interface PushableTable {
  readonly [name: string]: Pushable;
}

/** A state. Every method that runs Lua throws {@link LuaFault}; after anything else thrown the state is lost. */
export class LuaState {
  readonly #c: LuaC;
  readonly #L: LuaThread;
  readonly #decoder = new TextDecoder();
  readonly #hook: number;
  readonly #chunks = new Set<string>();
  /** Bytes that Lua has. */
  #used = 0;
  /** Holds while a script runs only: out of memory outside of a protected call, Lua would end the program. Bytes. */
  #cap = Infinity;
  /** What scripts may come to in all, bytes. */
  #most = Infinity;
  /** Above this the garbage is collected, bytes: Lua 5.1 does not do so by itself when memory runs out. */
  #collectAt = Infinity;
  /** By the clock of `performance`. */
  #deadline = Infinity;
  #within = 0;
  #late = false;

  private constructor(c: LuaC) {
    this.#c = c;
    const allocate = (_: number, pointer: number, before: number, wanted: number): number =>
      this.#allocate(pointer, before, wanted);
    this.#L = c.lua_newstate(c.module.addFunction(allocate, "iiiii"), 0);
    if (this.#L === 0) throw new Error("Cannot make a Lua state");
    this.#hook = c.module.addFunction((L: LuaThread) => this.#look(L), "vii");
  }

  /** A state with the base, coroutine, table, string and math libraries. @param memory bytes that scripts may have in all */
  static async create(memory: number): Promise<LuaState> {
    const state = new LuaState(await loadLua());
    const c = state.#c;
    const L = state.#L;
    c.lua_checkstack(L, 50);
    c.luaopen_base(L);
    c.luaopen_table(L);
    c.luaopen_string(L);
    c.luaopen_math(L);
    c.lua_settop(L, 0);
    // Coroutines inherit it.
    c.lua_sethook(L, state.#hook, LUA_MASKCOUNT, LOOK);
    state.#most = state.#used + memory;
    state.#collect(L);
    return state;
  }

  #allocate(pointer: number, before: number, wanted: number): number {
    if (wanted === 0) {
      if (pointer !== 0) this.#used -= before;
      this.#c.module._free(pointer);
      return 0;
    }
    const more = pointer === 0 ? wanted : wanted - before;
    if (more > 0 && this.#used + more > this.#cap) return 0;
    const made = this.#c.module._realloc(pointer, wanted);
    if (made !== 0) this.#used += more;
    return made;
  }

  /** Called by Lua as it runs, on the thread (coroutine) that runs. */
  #look(L: LuaThread): void {
    const c = this.#c;
    if (performance.now() <= this.#deadline) {
      if (c.lua_gethookcount(L) !== LOOK) c.lua_sethook(L, this.#hook, LUA_MASKCOUNT, LOOK);
      if (this.#used > this.#collectAt) this.#collect(L);
      return;
    }
    this.#late = true;
    // A script that catches the error (pcall) meets the next one at its next instruction, outside of what caught it.
    c.lua_sethook(L, this.#hook, LUA_MASKCOUNT, 1);
    c.luaL_where(L, 0);
    c.lua_pushstring(L, `it ran for longer than ${this.#within} ms`);
    c.lua_concat(L, 2);
    c.lua_error(L);
  }

  /** Collects the garbage, and does so again when half of what is free now is taken. */
  #collect(L: LuaThread): void {
    this.#c.lua_gc(L, LUA_GCCOLLECT, 0);
    this.#collectAt = (this.#used + this.#most) / 2;
  }

  /** Leaves the stack as it was. */
  #balanced<T>(body: () => T): T {
    const top = this.#c.lua_gettop(this.#L);
    try {
      return body();
    } finally {
      this.#c.lua_settop(this.#L, top);
    }
  }

  /** Keeps what is on top of the stack, and takes it off. */
  #keep(): LuaRef {
    return new LuaRef(this.#c.luaL_ref(this.#L, LUA_REGISTRYINDEX));
  }

  #push(value: Pushable): void {
    const c = this.#c;
    const L = this.#L;
    if (value === undefined) c.lua_pushnil(L);
    else if (typeof value === "boolean") c.lua_pushboolean(L, Number(value));
    else if (typeof value === "number") c.lua_pushnumber(L, value);
    else if (typeof value === "string") c.lua_pushstring(L, value);
    else if (value instanceof LuaRef) c.lua_rawgeti(L, LUA_REGISTRYINDEX, value.index);
    else if (Array.isArray(value)) {
      const list = value as readonly Pushable[];
      c.lua_createtable(L, list.length, 0);
      for (const [at, element] of list.entries()) {
        this.#push(element);
        c.lua_rawseti(L, -2, at + 1);
      }
    } else {
      const entries = Object.entries(value as PushableTable);
      c.lua_createtable(L, 0, entries.length);
      for (const [name, element] of entries) {
        this.#push(element);
        c.lua_setfield(L, -2, name);
      }
    }
  }

  /** Makes a value in Lua and keeps it. */
  keep(value: Pushable): LuaRef {
    return this.#balanced(() => {
      this.#push(value);
      return this.#keep();
    });
  }

  /** Lets go of a value that was kept. */
  free(ref: LuaRef): void {
    this.#balanced(() => this.#c.luaL_unref(this.#L, LUA_REGISTRYINDEX, ref.index));
  }

  /** Keeps a function of ours. It is handed readers of its arguments, and may return a number. It must not throw. */
  function(call: (text: (index: number) => string) => number | void): LuaRef {
    const run = (L: LuaThread): number => {
      const result = call((index) => this.#text(L, index));
      if (result === undefined) return 0;
      this.#c.lua_pushnumber(L, result);
      return 1;
    };
    const pointer = this.#c.module.addFunction(run, "ii");
    return this.#balanced(() => {
      this.#c.lua_pushcclosure(this.#L, pointer, 0);
      return this.#keep();
    });
  }

  /** Compiles a text. @param chunk what it is called in messages @throws LuaFault of kind `syntax` */
  compile(text: string, chunk: string): LuaRef {
    const c = this.#c;
    this.#chunks.add(chunk);
    return this.#balanced(() => {
      const bytes = new TextEncoder().encode(text);
      const buffer = c.module._malloc(bytes.length + 1);
      c.module.HEAPU8.set(bytes, buffer);
      const status = c.luaL_loadbuffer(this.#L, buffer, bytes.length, `=${chunk}`);
      c.module._free(buffer);
      if (status !== LUA_STATUS.ok) throw this.#fault(status);
      return this.#keep();
    });
  }

  /** Calls a function, for at most so many milliseconds, and keeps its first result. @throws LuaFault */
  call(called: LuaRef, args: readonly Pushable[], within: number): LuaRef {
    const c = this.#c;
    const L = this.#L;
    if (this.#used > this.#collectAt) this.#collect(L);
    return this.#balanced(() => {
      for (const value of [called, ...args]) this.#push(value);
      this.#within = Math.round(within);
      this.#late = false;
      this.#deadline = performance.now() + within;
      this.#cap = this.#most;
      let status: number;
      try {
        status = c.lua_pcall(L, args.length, 1, 0);
      } finally {
        this.#cap = Infinity;
        this.#deadline = Infinity;
      }
      if (status === LUA_STATUS.ok) return this.#keep();
      const fault = this.#fault(status);
      c.lua_settop(L, 0);
      if (fault.kind === "memory") this.#collect(L);
      throw fault;
    });
  }

  /** The error on top of the stack. */
  #fault(status: number): LuaFault {
    if (status === LUA_STATUS.memory) return new LuaFault("memory", "it wants more memory than a script may have");
    const type = this.#c.lua_type(this.#L, -1);
    const told = type === LUA_TYPE.string || type === LUA_TYPE.number;
    const text = told ? this.#text(this.#L, -1) : `it threw a ${this.#c.lua_typename(this.#L, type)}`;
    const kind = status === LUA_STATUS.syntax ? "syntax" : this.#late ? "deadline" : "error";
    const chunk = [...this.#chunks].find((name) => text.startsWith(`${name}:`));
    const place = chunk === undefined ? null : /^(?<line>\d+): (?<message>[^]*)$/.exec(text.slice(chunk.length + 1));
    if (!place?.groups) return new LuaFault(kind, text);
    return new LuaFault(kind, place.groups["message"]!, Number(place.groups["line"]));
  }

  /** A string or number at an index, cut when it is very long. */
  #text(L: LuaThread, index: number): string {
    const { module } = this.#c;
    const pointer = module._lua_tolstring(L, index, 0);
    if (pointer === 0) return "";
    const length = Math.min(this.#c.lua_objlen(L, index), LONGEST);
    return this.#decoder.decode(module.HEAPU8.subarray(pointer, pointer + length));
  }

  /** What type a value is. */
  type(ref: LuaRef): string {
    return this.#balanced(() => {
      this.#push(ref);
      return this.#c.lua_typename(this.#L, this.#c.lua_type(this.#L, -1));
    });
  }

  /** Keeps a field of a table, without asking its metatable. */
  field(ref: LuaRef, name: string): LuaRef {
    return this.#balanced(() => {
      this.#push(ref);
      this.#push(name);
      this.#c.lua_rawget(this.#L, -2);
      return this.#keep();
    });
  }

  /** Sets a field of a table. */
  set(ref: LuaRef, name: string, value: Pushable): void {
    this.#balanced(() => {
      this.#push(ref);
      this.#push(value);
      this.#c.lua_setfield(this.#L, -2, name);
    });
  }

  /** Gives a table fields that are found by name, but not by going through it. */
  hide(ref: LuaRef, hidden: PushableTable): void {
    this.#balanced(() => {
      this.#push(ref);
      this.#push({ __index: hidden });
      this.#c.lua_setmetatable(this.#L, -2);
    });
  }

  /** The globals. */
  globals(): LuaRef {
    return this.#balanced(() => {
      this.#c.lua_pushvalue(this.#L, LUA_GLOBALSINDEX);
      return this.#keep();
    });
  }

  /** A value as plain data; undefined for nil. */
  scalar(ref: LuaRef): LuaScalar | undefined {
    const c = this.#c;
    const L = this.#L;
    return this.#balanced(() => {
      this.#push(ref);
      const type = c.lua_type(L, -1);
      if (type === LUA_TYPE.nil) return undefined;
      if (type === LUA_TYPE.boolean) return c.lua_toboolean(L, -1) !== 0;
      if (c.lua_isnumber(L, -1) !== 0) return c.lua_tonumber(L, -1);
      return type === LUA_TYPE.string ? this.#text(L, -1) : { type: c.lua_typename(L, type) };
    });
  }
}
