/** Plugins in real threads. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { luaFile, nothingAt, PATIENT, pluginReadings } from "../../../test/helpers/lua-script.ts";
import { configureLogs } from "../../core/log.ts";
import type { Options } from "../config.ts";
import { type PluginHooks, type PluginState, Plugins } from "./plugins.ts";

checkFds();

const lines: string[] = [];
before(() => configureLogs({ autorate: "debug" }, (line) => lines.push(line.replace(/^\S+ /, ""))));
beforeEach(() => lines.splice(0));
after(() => configureLogs({}, () => undefined));

const open = (paths: readonly string[], hooks: Partial<PluginHooks> = {}, sections: Record<string, Options> = {}) =>
  Plugins.open(paths, { min_dl_rate: 10_000, sections }, { random: () => 0.5, limits: PATIENT, ...hooks });

const plugin = (body: string): string =>
  luaFile(`local calls = 0
  return { process = function(r) calls = calls + 1 ${body} end }`);

test("a plugin that returns nothing changes nothing, and so does none", async () => {
  const readings = pluginReadings();
  const unchanged = {
    rates: { download: readings.next_dl_rate, upload: readings.next_ul_rate },
    thresholds: { download: 15, upload: 30 },
    notes: [],
  };
  for (const paths of [
    [],
    [plugin("return {}")],
    [plugin("")],
    [plugin("return 5")],
    [plugin("return {}"), plugin("return nil")],
  ]) {
    await using plugins = await open(paths);
    assert.deepEqual(await plugins.process(readings), unchanged);
    assert.deepEqual(
      plugins.states.map(({ path, state, failures }) => ({ path, state, failures })),
      paths.map((path) => ({ path, state: "running", failures: 0 })),
    );
  }
});

test("each sees the rates and thresholds that the one before left", async () => {
  const first = plugin("return { next_dl_rate = r.next_dl_rate + 0.5, dl_max_delta_owd = r.dl_max_delta_owd * 2 }");
  const second = plugin("return { next_dl_rate = r.next_dl_rate * 2, ul_max_delta_owd = r.dl_max_delta_owd + 1 }");
  await using plugins = await open([first, second]);
  const { rates, thresholds, notes } = await plugins.process(pluginReadings({ next_dl_rate: 100 }));
  assert.deepEqual(rates, { download: 201, upload: 6100.5 });
  assert.deepEqual(thresholds, { download: 30, upload: 31 });
  assert.equal(notes.length, 4);
});

test("plugins know nothing of each other's globals", async () => {
  const path = plugin("shared = (shared or 0) + 1 return { next_dl_rate = shared }");
  await using plugins = await open([path, path]);
  assert.equal((await plugins.process(pluginReadings())).rates.download, 1);
});

test("one that cannot be loaded is disabled, and the others are asked", async () => {
  const told: PluginState[] = [];
  const bad = [
    nothingAt("missing.lua"),
    luaFile("return {"),
    luaFile("return {}"),
    luaFile("return { process = print, initialise = function(_, s) error(s.min_dl_rate) end }"),
  ];
  await using plugins = await open([...bad, plugin("return { next_dl_rate = 5 }")], {
    disabled: (state) => told.push(state),
  });
  assert.deepEqual(
    plugins.states.map(({ state }) => state),
    ["disabled", "disabled", "disabled", "disabled", "running"],
  );
  assert.deepEqual(new Set(told.map(({ path }) => path)), new Set(bad));
  const reasons = plugins.states.map(({ reason }) => reason ?? "");
  assert.match(reasons[0]!, /Cannot read .*missing\.lua.*no such file/);
  assert.match(reasons[1]!, /Cannot read the Lua script: unexpected symbol/);
  assert.match(reasons[2]!, /no function process/);
  assert.match(reasons[3]!, /failed when it was started: 10000/);
  assert.equal((await plugins.process(pluginReadings())).rates.download, 5);
  assert.equal(lines.filter((line) => line.startsWith("error autorate.lua:")).length, 4);
});

test("a failure costs its call; five in a row, and it is not asked any more", async () => {
  const told: PluginState[] = [];
  const path = plugin("if calls % 6 == 0 then return { next_dl_rate = calls } end error('call ' .. calls)");
  await using plugins = await open([path], { disabled: (state) => told.push(state) });
  const rates: number[] = [];
  for (let tick = 0; tick < 9; tick += 1) {
    const { rates: after, notes } = await plugins.process(pluginReadings({ now_s: tick }));
    rates.push(after.download);
    if (tick === 0) assert.match(notes[0]!, /line 2: call 1/);
  }
  assert.ok(rates.every((rate) => rate === 31_000.25));
  assert.deepEqual(
    told.map(({ state, failures, reason }) => [state, failures, reason]),
    [["disabled", 5, "it failed 5 times in a row: line 2: call 5"]],
  );
  assert.deepEqual(plugins.states, told);
  // The first failure is logged, the next within a minute are not, the end is.
  assert.deepEqual(
    lines.map((line) => line.replace(path, "P")),
    [
      "warning autorate.lua: P: it failed: line 2: call 1",
      "error autorate.lua: P is disabled: it failed 5 times in a row: line 2: call 5",
    ],
  );
});

test("one good call in between, and the counting begins anew", async () => {
  const path = plugin("if calls % 5 == 0 then return {} end error('x')");
  await using plugins = await open([path]);
  for (let tick = 0; tick < 24; tick += 1) await plugins.process(pluginReadings({ now_s: tick * 30 }));
  assert.deepEqual([plugins.states[0]!.state, plugins.states[0]!.failures], ["running", 4]);
  const held = lines.filter((line) => line.endsWith("(and 1 times before)"));
  assert.ok(held.length > 5, lines.join("\n"));
});

test("values that are no use are ignored one by one, with a warning now and then", async () => {
  const path = plugin(
    "return { next_dl_rate = 0/0, next_ul_rate = -1, ul_max_delta_owd = {}, dl_max_delta_owd = '8' }",
  );
  await using plugins = await open([path]);
  for (let tick = 0; tick < 3; tick += 1) {
    const { rates, thresholds } = await plugins.process(pluginReadings({ now_s: tick }));
    assert.deepEqual(rates, { download: 31_000.25, upload: 6100.5 });
    assert.deepEqual(thresholds, { download: 8, upload: 30 });
  }
  assert.equal(plugins.states[0]!.failures, 0);
  assert.equal(lines.filter((line) => line.startsWith("warning")).length, 3);
});

test("what plugins log is logged with their path", async () => {
  const path = plugin("log('WARN', 'high {load}: ' .. r.rx_load) print('a', 1)");
  await using plugins = await open([path]);
  await plugins.process(pluginReadings());
  assert.deepEqual(lines, [`warning autorate.lua: ${path}: high {load}: 0.5`, `info autorate.lua: ${path}: a\t1`]);
});

test("one that was just lost is not there for a while, which is no failure of its own", async () => {
  const path = plugin("if calls == 1 then string.find(('a'):rep(40), ('a-'):rep(40) .. 'b') end return {}");
  await using plugins = await open([path], { limits: { ...PATIENT, deadline: 300 } });
  const first = await plugins.process(pluginReadings());
  assert.match(first.notes[0]!, /no answer within 300 ms/);
  for (let tick = 0; tick < 20; tick += 1) {
    const { notes } = await plugins.process(pluginReadings());
    assert.match(notes[0]!, /it is being started again: no answer within 300 ms/);
  }
  assert.deepEqual([plugins.states[0]!.state, plugins.states[0]!.failures], ["running", 1]);
});
