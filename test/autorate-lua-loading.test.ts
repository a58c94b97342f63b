/** The Lua engine is loaded in the threads of scripts and nowhere else, and without scripts not at all. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { luaFile } from "./helpers/lua-script.ts";
import { loadedBy, readSources, ROOT } from "./helpers/sources.ts";

const ENGINE = "wasmoon-lua5.1";

test("only a script's thread leads to the engine", () => {
  const sources = readSources("src/**/*.ts").filter(({ path }) => !path.endsWith(".test.ts"));
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const importers = sources.filter(({ imports }) => imports.some(({ target }) => target === ENGINE));
  assert.deepEqual(
    importers.map(({ path }) => path),
    ["src/autorate/lua/engine/api.ts"],
  );
  const leading = sources.filter(({ path }) => loadedBy(path, byPath).has("src/autorate/lua/engine/api.ts"));
  assert.deepEqual(
    leading.map(({ path }) => path),
    ["script-worker", "script", "state"].map((name) => `src/autorate/lua/engine/${name}.ts`),
  );
  const lazy = sources.flatMap(({ path, imports }) =>
    imports.filter((i) => i.lazy && i.target.includes("/lua/engine/")).map(() => path),
  );
  assert.deepEqual(lazy, []);
});

/** What a process tells of itself after it opened plugins: the threads it started, and the modules of the engine it has. */
function child(paths: readonly string[]): { readonly threads: number; readonly modules: readonly string[] } {
  const program = `
    import { subscribe } from "node:diagnostics_channel";
    import { createRequire } from "node:module";
    let threads = 0;
    subscribe("worker_threads", () => (threads += 1));
    const { LuaController } = await import(${JSON.stringify(join(ROOT, "src/autorate/lua/controller.ts"))});
    const { Plugins } = await import(${JSON.stringify(join(ROOT, "src/autorate/lua/plugins.ts"))});
    if (typeof LuaController.open !== "function") throw new Error("nothing was loaded");
    const plugins = await Plugins.open(${JSON.stringify(paths)}, { sections: {} }, { random: Math.random });
    const readings = { next_dl_rate: 5, next_ul_rate: 6, dl_max_delta_owd: 15, ul_max_delta_owd: 15, now_s: 0 };
    const { rates } = await plugins.process(readings);
    if (rates.download !== 5) throw new Error("the rates were changed");
    const states = plugins.states.filter(({ state }) => state === "running").length;
    await plugins[Symbol.asyncDispose]();
    const modules = Object.keys(createRequire(import.meta.url).cache).filter((name) => /wasmoon|lodash/.test(name));
    console.log(JSON.stringify({ threads, modules, states }));
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: ROOT });
  assert.deepEqual([status, stderr], [0, ""]);
  const { states, ...told } = JSON.parse(stdout) as { states: number; threads: number; modules: string[] };
  assert.equal(states, paths.length);
  return told;
}

test("without scripts there is no thread and no engine; with some, a thread each, and no engine outside of them", () => {
  assert.deepEqual(child([]), { threads: 0, modules: [] });
  const path = luaFile("return { process = function() print('to the log, not to the output') return {} end }");
  assert.deepEqual(child([path, path]), { threads: 2, modules: [] });
});
