/** The Lua scripts that come with sluice (lua/), in real threads. Recorded runs are in autorate-lua-golden.test.ts. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Options } from "../src/autorate/config.ts";
import { EWMA_DEFAULTS, ewma } from "../src/autorate/controllers/ewma.ts";
import type { PluginReadings } from "../src/autorate/lua/bridge.ts";
import { LuaController } from "../src/autorate/lua/controller.ts";
import { type PluginHooks, Plugins } from "../src/autorate/lua/plugins.ts";
import { type Counted, loads } from "../src/autorate/runner/measure.ts";
import { settle } from "../src/autorate/runner/settle.ts";
import { both, type Both, DIRECTIONS } from "../src/core/both.ts";
import type { Clock } from "../src/core/clock.ts";
import { milliseconds } from "../src/core/units.ts";
import { luaFile, PATIENT, pluginReadings, SETUP, tickInput } from "./helpers/lua-script.ts";

const ROOT = join(import.meta.dirname, "..");
const scripts = globSync("lua/*/*.lua", { cwd: ROOT }).toSorted();

describe("every script", () => {
  it("is one of these", () =>
    assert.deepEqual(scripts, [
      "lua/controllers/ewma.lua",
      "lua/plugins/delay_histogram.lua",
      "lua/plugins/log_readings.lua",
      "lua/plugins/pretty_speeds.lua",
      "lua/plugins/rate_cap.lua",
      "lua/plugins/time_of_day.lua",
    ]));

  for (const script of scripts)
    it(`${script} says at its head what it does, its options and an example, and stands in the documentation`, () => {
      const text = readFileSync(join(ROOT, script), "utf8");
      const head = text.slice(0, text.search(/^(?!--)/m));
      assert.match(head, /^-- [A-Z][^]*\n-- Options[^]*\n-- Example \(sluice\.toml\)/);
      assert.ok(head.includes(`/usr/lib/sluice/${script}`), "the example names another path");
      const documentation = readFileSync(join(ROOT, "docs/autorate-lua.md"), "utf8");
      assert.ok(documentation.includes(`\`${script}\``), "docs/autorate-lua.md does not name it");
    });
});

/** Opens a shipped plugin with these options. */
async function plugin(name: string, options: Options, hooks: Partial<PluginHooks> = {}): Promise<Plugins> {
  const settings = { dl_max_delta_owd: 15, ul_max_delta_owd: 30, sections: { [name]: options } };
  const path = join(ROOT, `lua/plugins/${name}.lua`);
  return Plugins.open([path], settings, { random: () => 0.5, limits: PATIENT, ...hooks });
}

/** Why a plugin with these options is disabled. */
async function refusal(name: string, options: Options): Promise<string> {
  await using plugins = await plugin(name, options);
  assert.equal(plugins.states[0]!.state, "disabled");
  return plugins.states[0]!.reason ?? "";
}

describe("ewma.lua", () => {
  const follow = (value: number): number => (value * 997.13) % 1;

  /** Loads and deltas that a line may show, the same in each run. */
  function* lines(): Generator<{ readonly load: Both<number>; readonly deltas: Both<number[]> }> {
    let value = 0.7;
    const random = (): number => (value = follow(value));
    for (let tick = 1; tick <= 200; tick += 1) {
      const load = both(() => random() * 1.2);
      const deltas = both(() =>
        Array.from({ length: Math.floor(random() * 7) }, () => random() * 35 - 2).toSorted((a, b) => a - b),
      );
      yield { load, deltas };
    }
  }

  for (const whole of [false, true])
    it(`decides as the controller that is built in, ${whole ? "with the whole ring" : "as sqm-autorate"}`, async () => {
      let drawn = 0.123;
      const random = (): number => (drawn = follow(drawn));
      // The script is handed the numbers that the built-in one is about to draw.
      const draws = (): number[] => {
        const list = [drawn];
        for (let i = 0; i < 18; i += 1) list.push(follow(list.at(-1)!));
        return list.slice(1);
      };
      await using controller = await LuaController.open({
        path: join(ROOT, "lua/controllers/ewma.lua"),
        setup: SETUP,
        settings: { base_dl_rate: 50_000, base_ul_rate: 10_000, sections: {} },
        options: { histsize: 9, whole_ring: whole },
        onError: "min",
        random: () => 0.5,
        draws,
        limits: PATIENT,
      });
      const style = whole ? ({ compat: "none", cutAtLowLoad: "always" } as const) : ({ compat: "lua" } as const);
      const own = ewma({ ...EWMA_DEFAULTS, ...style, speedHistory: 9 });
      let state = own.init(SETUP, random);
      let rates = SETUP.start;
      let counted: Counted = { at: SETUP.now, bytes: SETUP.bytes };
      let moves = 0;
      for (const { load, deltas } of lines()) {
        const at = counted.at + 0.5;
        const now = { at, bytes: both((d) => counted.bytes[d] + Math.round((load[d] * rates[d] * 500) / 8)) };
        const measured = loads(counted, now, rates);
        counted = now;
        const input = { ...tickInput(), now: at, elapsed: measured.elapsed };
        const directions = both((d) => ({
          ...input.directions[d],
          deltas: deltas[d],
          rate: rates[d],
          bytes: now.bytes[d],
          achieved: measured.achieved[d],
          load: measured.load[d],
        }));
        const decision = await controller.decide({ ...input, directions });
        assert.equal(decision.reselect, Math.min(deltas.download.length, deltas.upload.length) < 5);
        if (deltas.download.length === 0 || deltas.upload.length === 0) {
          // Here the built-in one has repairs of its own.
          state = both((d) => ({ ...state[d], bytes: now.bytes[d], at }));
          assert.deepEqual([decision.download.rate, decision.upload.rate], [10_000, 2000]);
          continue;
        }
        const step = own.step(state, { ...input, directions }, random);
        state = step.state;
        for (const d of DIRECTIONS) assert.equal(decision[d].rate, step.decision[d].rate);
        moves += DIRECTIONS.filter((d) => step.decision[d].branch !== "hold").length;
        rates = both((d) => settle(decision[d].rate, SETUP.bounds[d]));
      }
      assert.ok(moves > 100, `only ${moves} growths and cuts`);
    });

  it("does not start without a history", async () => {
    const path = join(ROOT, "lua/controllers/ewma.lua");
    const settings = { base_dl_rate: 1, base_ul_rate: 1, sections: {} };
    const options = { path, setup: SETUP, settings, onError: "min", random: () => 0.5, limits: PATIENT } as const;
    await assert.rejects(LuaController.open({ ...options, options: { histsize: 0 } }), /histsize must be 1 or more/);
  });
});

describe("pretty_speeds.lua", () => {
  for (const [options, download, upload] of [
    [{}, 32_000, 7000],
    [{ step: "500" }, 31_500, 6500],
  ] as const)
    it(`rounds up: ${JSON.stringify(options)}`, async () => {
      await using plugins = await plugin("pretty_speeds", options);
      assert.deepEqual((await plugins.process(pluginReadings())).rates, { download, upload });
      const round = pluginReadings({ next_dl_rate: download, next_ul_rate: 0 });
      assert.deepEqual((await plugins.process(round)).rates, { download, upload: 0 });
    });

  it("wants a step", async () => assert.match(await refusal("pretty_speeds", { step: 0 }), /step must be more than 0/));
});

describe("rate_cap.lua", () => {
  it("caps what is above, and nothing else", async () => {
    await using plugins = await plugin("rate_cap", { max_dl_rate: 30_500, max_ul_rate: "7000" });
    const { rates, notes } = await plugins.process(pluginReadings());
    assert.deepEqual(rates, { download: 30_500, upload: 6100.5 });
    assert.equal(notes.length, 1);
  });

  it("caps one direction alone", async () => {
    await using plugins = await plugin("rate_cap", { max_ul_rate: 5000 });
    assert.deepEqual((await plugins.process(pluginReadings())).rates, { download: 31_000.25, upload: 5000 });
  });

  it("is of no use without a limit, or with one that is none", async () => {
    assert.match(await refusal("rate_cap", {}), /neither max_dl_rate nor max_ul_rate/);
    assert.match(await refusal("rate_cap", { max_dl_rate: "fast" }), /max_dl_rate is 'fast', wanted a rate/);
    assert.match(await refusal("rate_cap", { max_dl_rate: -1 }), /max_dl_rate is '-1'/);
  });
});

describe("log_readings.lua and delay_histogram.lua", () => {
  it("say what is wrong with their options", async () => {
    assert.match(await refusal("log_readings", { rx_load_ge: "high" }), /rx_load_ge is 'high', wanted a number/);
    assert.match(
      await refusal("delay_histogram", { low_load_type: "low" }),
      /low_load_type is 'low', wanted absolute or/,
    );
    assert.match(await refusal("delay_histogram", { number_of_histograms: 0 }), /number_of_histograms is '0', wanted/);
    assert.match(
      await refusal("delay_histogram", { cumulative_cutoff: "x" }),
      /cumulative_cutoff is 'x', wanted a number/,
    );
  });
});

describe("delay_histogram.lua", () => {
  it("forgets: the oldest histogram is begun anew, one after the other", async () => {
    const options = {
      number_of_histograms: 2,
      histogram_offset_seconds: 200,
      sufficient_seconds: 20,
      recalculation_seconds: 50,
    };
    const settings = {
      min_dl_rate: 10_000,
      min_ul_rate: 2000,
      dl_max_delta_owd: 15,
      ul_max_delta_owd: 15,
      tick_duration: 0.5,
      sections: { delay_histogram: options },
    };
    const path = join(ROOT, "lua/plugins/delay_histogram.lua");
    await using plugins = await Plugins.open([path], settings, { random: () => 0.5, limits: PATIENT });
    const seen: (readonly [number, number])[] = [];
    for (let now = 0; now < 900; now += 1) {
      // Quiet, and faster from 150 s on.
      const delay = now < 150 ? 11.2 : 4.5;
      const { thresholds } = await plugins.process(
        pluginReadings({
          now_s: now,
          up_utilisation: 1,
          down_utilisation: 1,
          down_del_stat: delay,
          up_del_stat: 3,
          dl_max_delta_owd: 0,
        }),
      );
      if (thresholds.download !== 0) seen.push([now, thresholds.download]);
    }
    // Both histograms hold the slow ones until each was begun anew, at 200 and at 400; the first look is at 90 + 50.
    assert.deepEqual(seen.slice(0, 3), [
      [140, 12],
      [190, 12],
      [240, 12],
    ]);
    for (const [now, threshold] of seen) assert.equal(threshold, now < 400 ? 12 : 5, `at ${now}`);
    assert.ok(seen.length > 12);
  });
});

describe("time_of_day.lua", () => {
  /** Asks at one local time after the other; dates of November 2026, in which the 1st is a Sunday. */
  async function asked(
    rules: Options,
    times: readonly (readonly [day: number, hour: number, minute?: number])[],
    readings: Partial<PluginReadings> = {},
  ): Promise<string[]> {
    let now = 0;
    const clock: Clock = { now: () => milliseconds(now), monotonic: () => milliseconds(0) };
    await using plugins = await plugin("time_of_day", rules, { clock });
    assert.equal(plugins.states[0]!.reason, undefined);
    const seen: string[] = [];
    for (const [day, hour, minute = 0] of times) {
      now = new Date(2026, 10, day, hour, minute).getTime();
      const { rates, thresholds } = await plugins.process(
        pluginReadings({ next_dl_rate: 31_000, next_ul_rate: 6000, ...readings }),
      );
      seen.push([rates.download, rates.upload, thresholds.download, thresholds.upload].join(" "));
    }
    return seen;
  }
  const PLAIN = "31000 6000 15 30";

  it("holds in its window, on its days", async () => {
    const rules = { evening: "mon-fri 18:00-23:30 max_dl=20000 min_ul=7000" };
    const at = [
      [6, 17, 59],
      [6, 18],
      [6, 23, 29],
      [6, 23, 30],
      [7, 20],
      [8, 20],
      [9, 20],
    ] as const;
    const held = "20000 7000 15 30";
    assert.deepEqual(await asked(rules, at), [PLAIN, held, held, PLAIN, PLAIN, PLAIN, held]);
  });

  it("goes over midnight, into a day that is not its own", async () => {
    const rules = { night: "sat 22:00-06:00 min_dl=40000" };
    const at = [
      [7, 21, 59],
      [7, 22],
      [8, 5, 59],
      [8, 6],
      [8, 23],
      [7, 3],
    ] as const;
    const held = "40000 6000 15 30";
    assert.deepEqual(await asked(rules, at), [PLAIN, held, held, PLAIN, PLAIN, PLAIN]);
  });

  it("sets base rates once, when the window begins, within its bounds", async () => {
    const rules = { day: "8:00-20:00 base_dl=50000 base_ul=900 max_dl=45000" };
    const at = [
      [2, 9],
      [2, 10],
      [2, 21],
      [3, 9],
    ] as const;
    assert.deepEqual(await asked(rules, at), ["45000 900 15 30", PLAIN, PLAIN, "45000 900 15 30"]);
  });

  it("sets thresholds while it holds, and then the configured ones again", async () => {
    const rules = { day: "8:00-20:00 delay_dl=25" };
    const at = [
      [2, 7],
      [2, 9],
      [2, 21],
      [2, 22],
    ] as const;
    const own = { dl_max_delta_owd: 99, ul_max_delta_owd: 99 };
    assert.deepEqual(await asked(rules, at, own), [
      "31000 6000 99 99",
      "31000 6000 25 30",
      "31000 6000 15 30",
      "31000 6000 99 99",
    ]);
  });

  it("of several rules the last of the alphabet wins, key by key; days are lists and ranges over the week's end", async () => {
    const rules = { a: "max_dl=20000 max_ul=3000", b: "fri-mon,wed max_dl=10000", c: "TUE 00:00-24:00 max_dl=5000" };
    const at = [
      [6, 12],
      [7, 12],
      [8, 12],
      [9, 12],
      [10, 12],
      [11, 12],
      [12, 12],
    ] as const;
    const [a, b] = ["20000 3000 15 30", "10000 3000 15 30"];
    assert.deepEqual(await asked(rules, at), [b, b, b, b, "5000 3000 15 30", b, a]);
  });

  it("says what is wrong with a rule", async () => {
    assert.match(await refusal("time_of_day", {}), /there is no rule/);
    for (const [rule, message] of [
      ["mon-fri 18:00-23:30", /the rule x changes nothing/],
      ["someday max_dl=1", /the rule x has 'someday', wanted days, a window or a key/],
      ["25:00-26:00 max_dl=1", /the rule x has '25:00-26:00', wanted hours/],
      ["12:60-13:00 max_dl=1", /wanted hours/],
      ["speed=1", /the rule x has 'speed=1', wanted one of min_, max_/],
      ["max_dl=fast", /the rule x has 'max_dl=fast', wanted a number/],
      ["max_dl=-1", /wanted a number/],
    ] as const)
      assert.match(await refusal("time_of_day", { x: rule }), message);
  });
});

describe("the examples of docs/autorate-lua.md", () => {
  const page = readFileSync(join(ROOT, "docs/autorate-lua.md"), "utf8");
  const [controllerText = "", pluginText = "", ...more] = Array.from(
    page.matchAll(/```lua\n([^]*?)```/g),
    ([, text = ""]) => text,
  );

  it("are a controller, which decides", async () => {
    assert.deepEqual(more, []);
    await using controller = await LuaController.open({
      path: luaFile(controllerText),
      setup: SETUP,
      settings: { sections: {} },
      options: { share: 0.5 },
      onError: "min",
      random: () => 0.5,
      limits: PATIENT,
    });
    const rates = async (...deltas: number[]): Promise<readonly unknown[]> => {
      const { download, upload, reselect } = await controller.decide(tickInput({ deltas }));
      return [download.rate, upload.rate, reselect];
    };
    assert.deepEqual(await rates(1, 2, 20), [12_500, 5000, false]);
    assert.deepEqual(await rates(1, 20), [25_000, 5000, true]);
    assert.deepEqual(await rates(), [25_000, 5000, true]);
  });

  it("and a plugin, which changes what it says", async () => {
    const settings = { sections: { keep_upload: { least: 9000 } } };
    const hooks = { random: () => 0.5, limits: PATIENT };
    await using plugins = await Plugins.open([luaFile(pluginText)], settings, hooks);
    const upload = async (load: number): Promise<number> =>
      (await plugins.process(pluginReadings({ rx_load: load }))).rates.upload;
    assert.deepEqual([await upload(0.6), await upload(0.4)], [9000, 6100.5]);
    assert.equal(plugins.states[0]!.name, "keep_upload");
  });
});
