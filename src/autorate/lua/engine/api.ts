/** The C API of Lua 5.1 as wasmoon-lua5.1 offers it: real Lua, compiled to WebAssembly. Loaded in a script's thread only. */
import { LuaApi } from "wasmoon-lua5.1";

/** A `lua_State *`. */
export type LuaThread = number;

/** What `lua_pcall` and `luaL_loadbuffer` return. */
export const LUA_STATUS = { ok: 0, run: 2, syntax: 3, memory: 4 } as const;

/** What `lua_type` returns. */
export const LUA_TYPE = { nil: 0, boolean: 1, number: 3, string: 4, table: 5, function: 6 } as const;

/** The stack's pseudo-index of the registry. */
export const LUA_REGISTRYINDEX = -10000;
/** The stack's pseudo-index of the globals. */
export const LUA_GLOBALSINDEX = -10002;
/** Hook after so many instructions. */
export const LUA_MASKCOUNT = 8;
/** `lua_gc`: collect all. */
export const LUA_GCCOLLECT = 2;

/** The functions that are used here; see the Lua 5.1 manual for each. Pointers and states are numbers. */
export interface LuaC {
  readonly module: {
    /** Makes a function of JavaScript callable from C. `signature`: the result's type, then those of the parameters. */
    addFunction(call: (...args: number[]) => number | void, signature: string): number;
    _malloc(size: number): number;
    _free(pointer: number): void;
    _realloc(pointer: number, size: number): number;
    _lua_tolstring(L: LuaThread, index: number, length: number): number;
    /** Another one after the memory has grown. */
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
  };
  lua_newstate(allocate: number, data: number): LuaThread;
  luaopen_base(L: LuaThread): void;
  luaopen_table(L: LuaThread): void;
  luaopen_string(L: LuaThread): void;
  luaopen_math(L: LuaThread): void;
  luaL_loadbuffer(L: LuaThread, buffer: number, size: number, chunk: string): number;
  luaL_where(L: LuaThread, level: number): void;
  luaL_ref(L: LuaThread, table: number): number;
  luaL_unref(L: LuaThread, table: number, ref: number): void;
  lua_pcall(L: LuaThread, args: number, results: number, handler: number): number;
  lua_error(L: LuaThread): number;
  lua_concat(L: LuaThread, count: number): void;
  lua_sethook(L: LuaThread, hook: number, mask: number, count: number): void;
  lua_gethookcount(L: LuaThread): number;
  lua_gc(L: LuaThread, what: number, data: number): number;
  lua_checkstack(L: LuaThread, count: number): number;
  lua_gettop(L: LuaThread): number;
  lua_settop(L: LuaThread, index: number): void;
  lua_type(L: LuaThread, index: number): number;
  lua_typename(L: LuaThread, type: number): string;
  lua_isnumber(L: LuaThread, index: number): number;
  lua_tonumber(L: LuaThread, index: number): number;
  lua_toboolean(L: LuaThread, index: number): number;
  lua_objlen(L: LuaThread, index: number): number;
  lua_createtable(L: LuaThread, list: number, named: number): void;
  lua_setfield(L: LuaThread, index: number, name: string): void;
  lua_setmetatable(L: LuaThread, index: number): number;
  lua_rawget(L: LuaThread, index: number): void;
  lua_rawgeti(L: LuaThread, index: number, at: number): void;
  lua_rawseti(L: LuaThread, index: number, at: number): void;
  lua_pushnil(L: LuaThread): void;
  lua_pushboolean(L: LuaThread, value: number): void;
  lua_pushnumber(L: LuaThread, value: number): void;
  lua_pushstring(L: LuaThread, value: string): void;
  lua_pushvalue(L: LuaThread, index: number): void;
  lua_pushcclosure(L: LuaThread, call: number, upvalues: number): void;
}

/** Loads the engine: one for each state, for a state that was broken takes its engine with it. */
export const loadLua = (): Promise<LuaC> =>
  // The package's own types stand on files that it does not have, and say nothing of `module`.
  LuaApi.initialize();
