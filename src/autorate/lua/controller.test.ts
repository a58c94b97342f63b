/** Controllers in real threads. What goes wrong in ticks is in controller.faults.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { luaFile, nothingAt, PATIENT, SETUP, tickInput } from "../../../test/helpers/lua-script.ts";
import { SluiceError } from "../../core/errors.ts";
import { LuaController, type LuaControllerOptions } from "./controller.ts";

checkFds();

const open = (path: string, options: Partial<LuaControllerOptions> = {}): Promise<LuaController> =>
  LuaController.open({
    path,
    setup: SETUP,
    settings: { sections: {}, high_load_level: 0.8 },
    options: {},
    onError: "min",
    random: () => 0.5,
    limits: PATIENT,
    ...options,
  });

test("a fixed rate is decided, in the style of either original", async () => {
  const lua = luaFile("return { calculate = function() return { next_dl_rate = 20000.5, next_ul_rate = '4000' } end }");
  const rust = luaFile(`local M, base = {}, nil
    function M.init(config) base = config.base_dl_rate * config.share end
    function M.calculate(ctx) return { dl_rate = base, ul_rate = ctx.current_ul_rate, trigger_reselect = #ctx.ul_deltas < 5 } end
    return M`);
  await using first = await open(lua);
  assert.deepEqual([first.period, first.name.endsWith("test.lua")], [0.5, true]);
  assert.deepEqual(await first.decide(tickInput()), {
    download: { rate: 20_000.5, branch: "lua" },
    upload: { rate: 4000, branch: "lua" },
    reselect: false,
  });
  await using second = await open(rust, { settings: { base_dl_rate: 50_000, sections: {} }, options: { share: 0.5 } });
  assert.deepEqual(await second.decide(tickInput()), {
    download: { rate: 25_000, branch: "lua" },
    upload: { rate: 6000, branch: "lua" },
    reselect: true,
  });
});

test("it is told everything about a tick, and the bytes of the one before", async () => {
  const path = luaFile(`local M = {}
    function M.calculate(d)
      return { dl_rate = d.rx_bytes - d.prev_rx_bytes, ul_rate = d.tick * 1000 + d.settings.options.more }
    end
    return M`);
  await using controller = await open(path, { options: { more: 7 } });
  const first = await controller.decide(tickInput());
  assert.deepEqual([first.download.rate, first.upload.rate], [1_000_000, 3007]);
  const second = await controller.decide(tickInput({ bytes: 2_000_123 }));
  assert.equal(second.download.rate, 123);
});

test("random numbers and the time come from the host", async () => {
  const path = luaFile(`local first = math.random()
    return { calculate = function() return { dl_rate = first * 8, ul_rate = math.random(10) + clock().hour * 100 } end }`);
  const draws = [[0.25], [0.75], [0]];
  const now = new Date(2026, 10, 27, 18, 30).getTime();
  const clock = { now: () => now, monotonic: () => 0 } as unknown as NonNullable<LuaControllerOptions["clock"]>;
  await using controller = await open(path, { draws: () => draws.shift() ?? [], clock });
  const { download, upload } = await controller.decide(tickInput());
  assert.deepEqual([download.rate, upload.rate], [2, 1808]);
  assert.equal((await controller.decide(tickInput())).upload.rate, 1801);
});

/** The error of a start. */
async function refused(path: string): Promise<SluiceError> {
  try {
    await using _controller = await open(path);
  } catch (error) {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.problems.length, 1);
    return error;
  }
  return assert.fail("it was started");
}

test("a script that cannot be used is refused at the start, with its file and line", async () => {
  const missing = nothingAt("missing.lua");
  assert.equal((await refused(missing)).code, "FILE_UNREADABLE");
  for (const [text, code, line, message] of [
    ["return {\n  calculate = function( end }", "AUTORATE_LUA_SYNTAX", 2, /<name> or '...' expected near 'end'/],
    ["return 'x'", "AUTORATE_LUA_CONTRACT", undefined, /it returns string, wanted a table/],
    ["return {}", "AUTORATE_LUA_CONTRACT", undefined, /has no function calculate/],
    ["return { calculate = true }", "AUTORATE_LUA_CONTRACT", undefined, /calculate is a boolean/],
    ["\n\nnone()", "AUTORATE_LUA_FAILED", 3, /attempt to call global 'none'/],
    [
      "return { calculate = print,\nconfigure = function() error('no such mood') end }",
      "AUTORATE_LUA_FAILED",
      2,
      /no such mood/,
    ],
  ] as const) {
    const path = luaFile(text);
    const error = await refused(path);
    assert.equal(error.code, code);
    assert.deepEqual(error.problems[0]!.where, { file: path, ...(line !== undefined && { line }) });
    assert.match(error.problems[0]!.message, message);
  }
});

test("a start that never ends is given up", async () => {
  const path = luaFile("string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')");
  await assert.rejects(
    open(path, { limits: { startDeadline: 500 } }),
    /failed when it was started: no answer within 500 ms/,
  );
});
