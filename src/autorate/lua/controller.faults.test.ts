/**
 * Scripts that go wrong in every way there is, as controllers and as plugins, beside a loop of 100 ms that they must not
 * hold up: the loop's period is looked at by its median, which a busy machine does not move.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { luaFile, nothingAt, PATIENT, pluginReadings, SETUP, tickInput } from "../../../test/helpers/lua-script.ts";
import { LuaController } from "./controller.ts";
import { Plugins } from "./plugins.ts";

checkFds();

/** ms */
const PERIOD = 100;
const TICKS = 12;

const TOUCHED = nothingAt("touched");

/** The body of `calculate` or `process`, and what is told of it in a tick. */
interface Fault {
  readonly body: string;
  readonly reason: RegExp;
  /** A controller must not, but a plugin may. */
  readonly fine?: boolean;
}

/** Those that are over at once. */
const QUICK: Readonly<Record<string, Fault>> = {
  "it throws": { body: "error('on purpose')", reason: /line 1: on purpose/ },
  "it throws what is no text": { body: "error({})", reason: /it threw a table/ },
  "it returns nothing": { body: "return", reason: /calculate returned nil, wanted a table/, fine: true },
  "it returns what is no table": { body: "return 5", reason: /calculate returned number, wanted a table/, fine: true },
  "a rate is missing": {
    body: "return { next_ul_rate = 1e4 }",
    reason: /next_dl_rate is nil, wanted a finite number/,
    fine: true,
  },
  "a rate is of a wrong type": {
    body: "return { next_dl_rate = {}, next_ul_rate = {} }",
    reason: /next_dl_rate is a table, wanted/,
    fine: true,
  },
  "a rate is NaN": {
    body: "return { next_dl_rate = 0/0, next_ul_rate = 0/0 }",
    reason: /next_dl_rate is NaN/,
    fine: true,
  },
  "a rate is infinite": {
    body: "return { next_dl_rate = 1/0, next_ul_rate = 1/0 }",
    reason: /next_dl_rate is Infinity/,
    fine: true,
  },
  "endless recursion": { body: "local function f() return f() + 1 end f()", reason: /stack overflow/ },
  "it reads a file": { body: "io.open('/etc/hostname'):read()", reason: /attempt to index global 'io'/ },
  "it runs a program": { body: `os.execute("touch ${TOUCHED}")`, reason: /attempt to index global 'os'/ },
  "it requires a file": { body: "require('/etc/hostname')", reason: /there is no module '\/etc\/hostname' here/ },
  "it loads a program": { body: "loadstring('return 1')()", reason: /attempt to call global 'loadstring'/ },
};

/** Either Lua notices that it is late, or its thread is ended; and while that is started again, there is nobody to ask. */
const LATE = /it ran for longer than 80 ms|no answer within 100 ms|it is being started again/;
const FULL = /more memory than a script may have|it is being started again|no answer within 100 ms|longer than 80 ms/;

/** Those that would go on for ever, or take all there is. */
const SLOW: Readonly<Record<string, Fault>> = {
  "an endless loop": { body: "while true do end", reason: LATE },
  "an endless loop that catches its errors": {
    body: "local function f() while true do pcall(f) end end while true do pcall(f) end",
    reason: LATE,
  },
  "an endless loop in the handler of an error": {
    body: "local function f() while true do end end xpcall(f, f)",
    reason: LATE,
  },
  "a pattern that takes for ever": { body: "string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')", reason: LATE },
  "a pattern that takes the whole stack": {
    body: "('a'):rep(3e5):find(('a?'):rep(2e4) .. 'b')",
    reason: /Maximum call stack size exceeded|it is being started again|no answer within 100 ms/,
  },
  "all the memory in one text": { body: "return ('x'):rep(2^30)", reason: FULL },
  "all the memory in small pieces": { body: "local t = {} for i = 1, 1e9 do t[i] = { i } end", reason: FULL },
  "all the memory, kept": { body: "kept = kept or {} for i = 1, 1e9 do kept[#kept + 1] = { i } end", reason: FULL },
  "it logs without end": { body: "while true do log('ERROR', 'again') end", reason: LATE },
};

/** Calls what is given every 100 ms, as a runner does; gives the median of the times between, ms. */
async function beside(tick: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let busy = false;
  const timer = setInterval(() => {
    times.push(performance.now());
    if (times.length > TICKS && !busy) resolve();
    // A tick that is still being decided is waited for.
    if (busy) return;
    busy = true;
    tick().then(() => (busy = false), reject);
  }, PERIOD);
  await promise.finally(() => clearInterval(timer));
  const gaps = times.slice(1).map((time, at) => time - times[at]!);
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
}

/** Runs a fault as a controller and as a plugin. @param deadline ms */
async function run(
  { body, reason, fine = false }: Fault,
  deadline: number,
  tell: (text: string) => void,
): Promise<void> {
  const path = luaFile(`local function run(x) ${body} end return { calculate = run, process = run }`);
  const given = { random: () => 0.5, limits: { ...PATIENT, deadline } };
  const settings = { sections: {} };
  await using controller = await LuaController.open({
    ...given,
    path,
    setup: SETUP,
    settings,
    options: {},
    onError: "min",
  });
  await using plugins = await Plugins.open([path], settings, given);
  const median = await beside(async () => {
    const { download, upload } = await controller.decide(tickInput());
    for (const verdict of [download, upload]) {
      assert.equal(verdict.branch, "lua-error");
      assert.match(verdict.blocked ?? "", reason);
    }
    assert.deepEqual([download.rate, upload.rate], [SETUP.bounds.download.min, SETUP.bounds.upload.min]);
    const { rates } = await plugins.process(pluginReadings());
    assert.equal(rates.download, pluginReadings().next_dl_rate);
  });
  tell(`median ${median.toFixed(1)} ms, ${plugins.states[0]!.failures} failures in a row`);
  assert.ok(median >= PERIOD - 20 && median <= 1.5 * PERIOD, `the loop's period became ${median} ms`);
  assert.equal(plugins.states[0]!.failures > 0, !fine);
}

describe("beside a loop of 100 ms, what is over at once", { concurrency: 4 }, () => {
  for (const [name, fault] of Object.entries(QUICK))
    test(name, (t) => run(fault, PATIENT.deadline, (text) => t.diagnostic(text)));
  after(() => assert.equal(existsSync(TOUCHED), false));
});

describe("beside a loop of 100 ms, what goes on for ever or takes all there is", () => {
  for (const [name, fault] of Object.entries(SLOW)) test(name, (t) => run(fault, 100, (text) => t.diagnostic(text)));
});

/** A controller that goes wrong when it is told to, by the number of its reflectors. */
const MOODY = `local base
  local M = {}
  function M.configure(settings) base = settings.base_dl_rate end
  function M.calculate(d)
    if #d.down_del == 1 then error("moody") end
    if #d.down_del == 2 then string.find(("a"):rep(40), ("a-"):rep(40) .. "b") end
    return { next_dl_rate = base, next_ul_rate = 3000 }
  end
  return M`;

const moody = (onError: "min" | "hold", deadline: number): Promise<LuaController> =>
  LuaController.open({
    path: luaFile(MOODY),
    setup: SETUP,
    settings: { base_dl_rate: 50_000, sections: {} },
    options: {},
    onError,
    random: () => 0.5,
    limits: { ...PATIENT, deadline },
  });

test("a tick that fails can hold the rates instead, and the next one is as good as any", async () => {
  await using controller = await moody("hold", PATIENT.deadline);
  const failed = await controller.decide(tickInput({ deltas: [1] }));
  assert.deepEqual(failed, {
    download: { rate: 30_000, branch: "lua-error", blocked: "line 5: moody" },
    upload: { rate: 6000, branch: "lua-error", blocked: "line 5: moody" },
  });
  assert.equal((await controller.decide(tickInput())).download.rate, 50_000);
});

test("a script that was lost is configured again, and decides as before", async () => {
  await using controller = await moody("min", 3000);
  assert.equal((await controller.decide(tickInput())).download.rate, 50_000);
  const lost = await controller.decide(tickInput({ deltas: [1, 2] }));
  assert.deepEqual([lost.download.rate, lost.download.blocked], [10_000, "no answer within 3000 ms"]);
  for (;;) {
    const { download, upload } = await controller.decide(tickInput());
    if (download.branch === "lua") {
      assert.deepEqual([download.rate, upload.rate], [50_000, 3000]);
      return;
    }
    assert.equal(download.blocked, "it is being started again: no answer within 3000 ms");
    // Its thread cannot say that it is there before this loop has had a turn.
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
});
