/** Scripts in this thread: what they are given, what they lose, and what is told of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StartRefusal } from "../../../linux/script/serve.ts";
import type { LuaTable, ScriptAnswer, ScriptStart } from "../messages.ts";
import { wallOf } from "../wall.ts";
import { openScript } from "./script.ts";

const wall = wallOf(new Date(2026, 10, 27, 18, 30, 5, 500).getTime());

const started = (text: string, start: Partial<ScriptStart> = {}) =>
  openScript({
    kind: "plugin",
    name: "test.lua",
    text,
    settings: {},
    sections: {},
    seed: [0.1, 0.2, 0.3, 0.4],
    draws: [],
    wall,
    memory: 2 ** 22,
    within: 10_000,
    ...start,
  });

/** Starts a plugin whose `process` is this, and asks it once. */
async function asked(body: string, start: Partial<ScriptStart> = {}, data: LuaTable = {}): Promise<ScriptAnswer> {
  const script = await started(`return { process = function(r) ${body} end }`, start);
  return script.answer({ data, hidden: {}, draws: [], wall, within: 10_000 });
}

/** What a plugin's expression gives, as text. */
async function value(expression: string, start: Partial<ScriptStart> = {}, data: LuaTable = {}): Promise<string> {
  const answer = await asked(`log("INFO", ${expression}) return {}`, start, data);
  assert.equal(answer.kind, "returned", answer.kind === "failed" ? answer.reason : "");
  return answer.logs.map(({ message }) => message).join("\n");
}

/** Why a start is refused. */
async function refusal(text: string, start: Partial<ScriptStart> = {}): Promise<unknown> {
  try {
    await started(text, start);
  } catch (error) {
    assert.ok(error instanceof StartRefusal, String(error));
    return error.detail;
  }
  return assert.fail("it was started");
}

describe("a start", () => {
  test("is refused with the line of what is wrong", async () => {
    assert.deepEqual(await refusal("local x = 1\nx = = 2"), {
      stage: "syntax",
      message: "unexpected symbol near '='",
      line: 2,
    });
    assert.deepEqual(await refusal("\n\nerror('no')"), { stage: "failed", message: "no", line: 3 });
    assert.deepEqual(await refusal("error('no', 0)"), { stage: "failed", message: "no" });
    assert.deepEqual(await refusal("error({})"), { stage: "failed", message: "it threw a table" });
    assert.deepEqual(await refusal("return 5"), {
      stage: "contract",
      message: "it returns number, wanted a table of functions",
    });
    assert.deepEqual(await refusal("return {}"), {
      stage: "contract",
      message: "the table that it returns has no function process",
    });
    assert.deepEqual(await refusal("return { process = 5 }"), {
      stage: "contract",
      message: "process is a number, wanted a function",
    });
    assert.deepEqual(await refusal("return { init = function() end }", { kind: "controller" }), {
      stage: "contract",
      message: "the table that it returns has no function calculate",
    });
    const failing = "return { calculate = function() end,\n configure = function(s)\n error('base ' .. s.base) end }";
    assert.deepEqual(await refusal(failing, { kind: "controller", settings: { base: 7 } }), {
      stage: "failed",
      message: "base 7",
      line: 3,
    });
    const { message, ...late } = (await refusal("while true do end", { within: 50 })) as { message: string };
    assert.deepEqual(late, { stage: "failed", line: 1 });
    assert.match(message, /^it ran for longer than \d+ ms$/);
    assert.deepEqual(await refusal("return ('x'):rep(2^26)"), {
      stage: "failed",
      message: "it wants more memory than a script may have",
    });
  });

  test("of what is compiled is refused: it could do anything", async () => {
    assert.deepEqual(await refusal("\u{1b}LuaQ"), { stage: "contract", message: "it is compiled, wanted the source" });
  });

  test("takes a first line for the shell, and a long name", async () => {
    const name = `${"long".repeat(40)}.lua`;
    const script = await started("#!/usr/bin/lua\nreturn { process = function() error('here') end }", { name });
    assert.equal(script.greeting.name, name);
    const answer = script.answer({ data: {}, hidden: {}, draws: [], wall, within: 10_000 });
    assert.deepEqual(answer, { kind: "failed", reason: "line 2: here", logs: [] });
  });

  test("hands a plugin what it requires and its settings, and takes the module that it returns", async () => {
    const script = await started(
      `local M = { name = "mine" }
      function M.initialise(requires, settings)
        log("INFO", settings.min_dl_rate .. " " .. requires.math.floor(2.5) .. " " .. requires.util.to_integer("7.9"))
        return { name = "other", process = function() return { next_dl_rate = settings.min_dl_rate } end }
      end
      return M`,
      { settings: { min_dl_rate: 5000 } },
    );
    assert.equal(script.greeting.name, "other");
    assert.deepEqual(script.greeting.logs, [{ level: "INFO", message: "5000 2 7" }]);
    const answer = script.answer({ data: {}, hidden: {}, draws: [], wall, within: 10_000 });
    assert.deepEqual(answer, { kind: "returned", fields: { next_dl_rate: 5000 }, type: "table", logs: [] });
  });

  test("configures a controller by either name, and its settings come back with each call", async () => {
    for (const name of ["configure", "init"]) {
      const text = `local own
        return { ${name} = function(s) own = s end,
          calculate = function(d) return { dl_rate = own.base + d.x, ul_rate = own == d.settings and 1 or 0 } end }`;
      const script = await started(text, { kind: "controller", settings: { base: 40 } });
      const answer = script.answer({ data: { x: 2 }, hidden: {}, draws: [], wall, within: 10_000 });
      assert.deepEqual(answer, { kind: "returned", fields: { dl_rate: 42, ul_rate: 1 }, type: "table", logs: [] });
    }
  });
});

describe("what comes back", () => {
  test("numbers, texts that Lua takes for numbers, and the types of all else; other keys are not looked at", async () => {
    const answer = await asked(`return { next_dl_rate = " 0x10 ", next_ul_rate = "many", ul_max_delta_owd = {},
      dl_max_delta_owd = 0/0, other = function() end, [1] = 2 }`);
    assert.deepEqual(answer.kind === "returned" && answer.fields, {
      next_dl_rate: 16,
      next_ul_rate: "many",
      ul_max_delta_owd: { type: "table" },
      dl_max_delta_owd: Number.NaN,
    });
  });

  test("whatever is no table is told by its type", async () => {
    for (const [expression, type] of Object.entries({ nil: "nil", "5": "number", print: "function", "''": "string" })) {
      const answer = await asked(`return ${expression}`);
      assert.deepEqual(answer, { kind: "returned", type, logs: [] });
    }
  });

  test("fields that a metatable would make are not asked for: that would run it outside of all limits", async () => {
    const answer = await asked("return setmetatable({}, { __index = function() while true do end end })");
    assert.deepEqual(answer, { kind: "returned", fields: {}, type: "table", logs: [] });
  });
});

describe("limits", () => {
  const late = /^line 1: (test\.lua:1: )?it ran for longer than 60 ms$/;
  const bombs: Readonly<Record<string, string>> = {
    "a loop": "while true do end",
    "a loop that catches its errors": "local function f() while true do pcall(f) end end while true do pcall(f) end",
    "a coroutine": "coroutine.wrap(function() while true do end end)()",
    "coroutines that are made again and again":
      "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
  };
  for (const [name, body] of Object.entries(bombs))
    test(`${name} ends at the deadline, and the script can be called again`, async () => {
      const script = await started(`return { process = function(r) if r.bad then ${body} end return {} end }`);
      const ask = (bad: boolean, within: number): ScriptAnswer =>
        script.answer({ data: { bad }, hidden: {}, draws: [], wall, within });
      for (let i = 0; i < 3; i += 1) {
        const answer = ask(true, 60);
        assert.match(answer.kind === "failed" ? answer.reason : answer.kind, late);
        assert.equal(ask(false, 10_000).kind, "returned");
      }
    });

  test("memory is limited, and given back", async () => {
    const script = await started(`local kept = {}
      return { process = function(r)
        local own = {}
        for i = 1, r.count do own[#own + 1] = { i, tostring(i) } end
        for i = 1, r.keep do kept[#kept + 1] = { i, tostring(i) } end
        return {}
      end }`);
    const ask = (count: number, keep = 0): ScriptAnswer =>
      script.answer({ data: { count, keep }, hidden: {}, draws: [], wall, within: 60_000 });
    for (let i = 0; i < 3; i += 1) {
      const reason = "it wants more memory than a script may have";
      assert.deepEqual(ask(10_000_000), { kind: "failed", reason, logs: [] });
      // Many times the memory in all, but little at a time: what is left of earlier calls is collected.
      for (let call = 0; call < 100; call += 1) assert.equal(ask(2000).kind, "returned");
    }
    // What it keeps is not given back: such a thread is better begun anew.
    assert.equal(ask(0, 10_000_000).kind, "failed");
    assert.throws(() => ask(0, 10_000_000), /more memory than a script may have/);
  });

  test("endless recursion, an error in an error's handler and odd errors are failures like others", async () => {
    const failed = async (body: string): Promise<string> => {
      const answer = await asked(body);
      return answer.kind === "failed" ? answer.reason : answer.kind;
    };
    assert.match(await failed("local function f() return 1 + f() end f()"), /stack overflow/);
    assert.match(
      await failed(
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k + 1] end return t[1]",
      ),
      /C stack overflow/,
    );
    assert.match(await failed("error()"), /it threw a nil/);
    assert.match(
      await failed("error(setmetatable({}, { __tostring = function() while true do end end }))"),
      /it threw a table/,
    );
    assert.match(await failed("error(('long'):rep(100000))"), /^line 1: (long){400,500}/);
  });

  test("lines of one call are limited in number and length", async () => {
    const answer = await asked("for i = 1, 1000 do print(i, ('x'):rep(9000)) end");
    assert.equal(answer.logs.length, 51);
    assert.ok(answer.logs.every(({ message }) => message.length <= 2000));
    assert.deepEqual(answer.logs.at(-1), { level: "WARN", message: "950 more lines were logged in one call" });
  });
});

describe("what a script loses", () => {
  const gone = "io os debug package module newproxy dofile loadfile load loadstring gcinfo string.dump".split(" ");
  for (const name of gone) test(name, async () => assert.equal(await value(`type(${name})`), "nil"));

  test("all modules but a few", async () => {
    for (const name of ["math", "string", "table", "coroutine", "util"])
      assert.equal(await value(`type(require("${name}"))`), "table");
    for (const name of ["io", "os", "/etc/hostname", "posix.time", "lanes"]) {
      const answer = await asked(`require("${name}")`);
      assert.match(
        answer.kind === "failed" ? answer.reason : "",
        /^line 1: there is no module '.+' here: a script may/,
      );
    }
  });

  test("what is listed here is all there is", async () => {
    const names = await value(`(function() local all = {} for name in pairs(_G) do all[#all + 1] = name end
      table.sort(all) return table.concat(all, " ") end)()`);
    assert.equal(
      names,
      "_G _VERSION assert clock collectgarbage coroutine error getfenv getmetatable ipairs log math next pairs pcall " +
        "print rawequal rawget rawset require select setfenv setmetatable string table tonumber tostring type unpack xpcall",
    );
  });
});

describe("what a script is given", () => {
  test("random numbers as Lua's own, from the sequence of the host", async () => {
    const draws = [0.5, 0.999, 0, 0.25, 0.75];
    const script = await started(
      `math.randomseed(1)
      local r = math.random
      local first = r()
      return { process = function() print(first, r(), r(6), r(6), r(-2, 2), r(10)) return {} end }`,
      { draws: [0.125] },
    );
    const answer = script.answer({ data: {}, hidden: {}, draws, wall, within: 10_000 });
    assert.deepEqual(answer.logs, [{ level: "INFO", message: "0.125\t0.5\t6\t1\t-1\t8" }]);
    for (const [call, message] of [
      ["math.random(0)", /interval is empty/],
      ["math.random(2, 1)", /interval is empty/],
      ["math.random(1, 2, 3)", /wrong number of arguments/],
      ["math.random('x')", /number expected/],
    ] as const) {
      const failed = await asked(`return ${call}`);
      assert.match(failed.kind === "failed" ? failed.reason : "", message);
    }
    const three = "math.random() .. ' ' .. math.random() .. ' ' .. math.random()";
    const [one, again, other] = [await value(three), await value(three), await value(three, { seed: [0.5, 0, 0, 0] })];
    assert.equal(one, again);
    assert.notEqual(one, other);
  });

  test("the time of day", async () => {
    const fields = "year month day hour min sec wday yday".split(" ");
    const text = fields.map((field) => `clock().${field}`).join(" .. ' ' .. ");
    assert.equal(await value(text), "2026 11 27 18 30 5 6 331");
    assert.equal(await value("clock().unix"), String(wall.unix));
    assert.equal(
      await value("table.concat({ require('util').get_current_time() }, ' ')"),
      `${Math.floor(wall.unix)} 500000000`,
    );
    assert.equal(await value("require('util').get_time_after_midnight_ms()"), String((wall.unix * 1000) % 86_400_000));
    assert.equal(await value("(function() clock().hour = 5 return clock().hour end)()"), "18");
  });

  test("sections of settings, by names with dashes or underscores, as copies", async () => {
    const sections = { delay_histogram: { a: 1 }, "log-readings": { b: "2" } };
    const script = await started(
      `return { initialise = function(_, s)
        s.plugin("delay_histogram").a = 9
        print(s.plugin("delay-histogram").a, s.plugin("log_readings").b, s.plugin("other"))
      end, process = function() end }`,
      { sections },
    );
    assert.equal(script.greeting.logs[0]!.message, "1\t2\tnil");
  });

  test("levels in any way", async () => {
    const answer = await asked(`local util = require("util")
      log("warning", 1) log(util.loglevel.ERROR, 2) log("trace", 3) log(nil, 4) log("??", nil)
      util.logger(util.loglevel.DEBUG, 5)
      util.set_loglevel("TRACE") util.logger(util.loglevel.TRACE, util.get_loglevel_name())`);
    assert.deepEqual(
      answer.logs.map(({ level, message }) => `${level} ${message}`),
      ["WARN 1", "ERROR 2", "TRACE 3", "INFO 4", "INFO nil", "TRACE TRACE"],
    );
    const quiet = await asked(`require("util").logger("INFO", 1)`, { settings: { log_level: "ERROR" } });
    assert.deepEqual(quiet.logs, []);
  });

  test("small helpers", async () => {
    const util = "require('util')";
    for (const [expression, wanted] of Object.entries({
      "a_else_b(false, 3)": "3",
      "a_else_b(2, 3)": "2",
      "to_num('1e3')": "1000",
      "tostring(_.to_num('x'))": "nil",
      "to_integer('3.9')": "3",
      "maximum({ 3, 9, 4 })": "9",
      "get_table_len({ a = 1, 2 })": "2",
      "get_table_position({ 'a', 'b' }, 'b')": "2",
      "get_table_position({ 'a' }, 'b')": "0",
      "get_table_dump({ 5, { a = true } })": "{ [1] = 5, [2] = { [a] = true } }",
      "get_loglevel_level()": "4",
      "tostring(_.is_module_available('lanes'))": "false",
      "tostring((_.nsleep(5, 0)))": "nil",
    }))
      assert.equal(
        await value(expression.includes("_.") ? expression.replace("_", util) : `${util}.${expression}`),
        wanted,
      );
    const shuffled = await value(`table.concat(${util}.shuffle_table({ 1, 2, 3, 4, 5, 6, 7, 8, 9 }), "")`);
    assert.notEqual(shuffled, "123456789");
    assert.equal([...shuffled].toSorted().join(""), "123456789");
  });

  test("fields that are found by name, and not by going through the others", async () => {
    const script = await started(`return { process = function(r)
      local names = {}
      for name in pairs(r) do names[#names + 1] = name end
      print(#names, names[1], r.hidden, tostring(r.none))
    end }`);
    const answer = script.answer({ data: { shown: 1 }, hidden: { hidden: 2 }, draws: [], wall, within: 10_000 });
    assert.equal(answer.logs[0]!.message, "1\tshown\t2\tnil");
  });

  test("values of every kind", async () => {
    const data = { list: [3, 1, 2], text: "grün", yes: true, none: undefined, inner: { x: -0.5 }, most: Infinity };
    const all = `#r.list .. r.list[1] .. r.list[3] .. r.text .. tostring(r.yes) .. tostring(r.none) .. r.inner.x ..
      tostring(r.most == math.huge)`;
    assert.equal(await value(all, {}, data), "332grüntruenil-0.5true");
  });
});
