/**
 * The shipped Lua scripts against recorded runs of the originals, in real threads: every rate equal to the last bit. The
 * records lie beside the project; without them this says so and skips.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readingsOf, type PluginReadings } from "../src/autorate/lua/bridge.ts";
import { LuaController } from "../src/autorate/lua/controller.ts";
import { Plugins } from "../src/autorate/lua/plugins.ts";
import type { PluginSettings } from "../src/autorate/lua/settings.ts";
import type { Setup, TickInput } from "../src/autorate/model.ts";
import { type Counted, loads } from "../src/autorate/runner/measure.ts";
import { settle } from "../src/autorate/runner/settle.ts";
import { both, type Both } from "../src/core/both.ts";
import { configureLogs } from "../src/core/log.ts";
import { autorateGolden, autorateGoldens, skipAutorateGolden } from "./helpers/autorate-golden.ts";

const SCRIPTS = join(import.meta.dirname, "../lua");
/** Generous: what is tested is the numbers. */
const limits = { deadline: 20_000, startDeadline: 20_000 };

const folder = mkdtempSync(join(tmpdir(), "sluice-lua-"));
after(() => rmSync(folder, { recursive: true }));

type Numbers = Readonly<Record<string, number>>;

interface Tick {
  readonly in: {
    readonly t: number;
    readonly rx_bytes: number;
    readonly tx_bytes: number;
    readonly peers_nil?: boolean;
    readonly read_failures?: unknown;
    readonly reflectors: readonly (({ readonly age_s: number } & Numbers) | null)[];
  };
  readonly rng?: readonly number[];
  readonly plugin_result?: Readonly<Record<string, unknown>>;
  readonly out: {
    readonly crash?: string;
    readonly readings?: Numbers | null;
    readonly reselect?: boolean;
    readonly dl_rate?: number;
    readonly ul_rate?: number;
  };
}

interface Vector {
  readonly config: Numbers;
  readonly initial: Numbers & { readonly rng_init: readonly number[] };
  readonly ticks: readonly Tick[];
}

function deltasOf({ reflectors }: Tick["in"], tick: number): Both<number[]> {
  const fresh = reflectors.flatMap((r) => (r !== null && r.age_s < 2 * tick ? [r] : []));
  const sorted = (end: string): number[] =>
    fresh.map((r) => r[`recent_${end}`]! - r[`base_${end}`]!).toSorted((a, b) => a - b);
  return { download: sorted("down"), upload: sorted("up") };
}

/** What a Lua program writes for a value of JSON. */
const luaText = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? `{${Object.entries(value)
        .map(([key, inner]) => `["${key}"]=${luaText(inner)}`)
        .join(",")}}`
    : JSON.stringify(value);

/** What killed the original, by the end of the record's name. */
const FATAL: Readonly<Record<string, { readonly lua: string; readonly failures: number; readonly note: RegExp }>> = {
  throws: { lua: `error("boom")`, failures: 1, note: /line 6: boom/ },
  "returns-nil": { lua: "return nil", failures: 0, note: /^$/ },
  "bad-type": { lua: "return { next_dl_rate = {} }", failures: 0, note: /next_dl_rate is a table, .* ignored/ },
};

const fatalOf = (name: string): (typeof FATAL)[string] | undefined => FATAL[name.replace("rate-lua-plugin-", "")];

/** A plugin that returns what was recorded, call by call. */
function recordedPlugin(name: string, vector: Vector): string {
  const path = join(folder, `${name}.lua`);
  const results = vector.ticks.flatMap(({ out, plugin_result = {} }) => (out.readings ? [luaText(plugin_result)] : []));
  writeFileSync(
    path,
    `local results, calls = { ${results.join(", ")} }, 0
    return { process = function()
      calls = calls + 1
      if results[calls] then return results[calls] end
      -- One line for the fatal statement.
      ${fatalOf(name)?.lua ?? "return {}"}
    end }`,
  );
  return path;
}

/** Steps through a record with the controller and, where there was one, the plugin. */
class Replay {
  readonly vector: Vector;
  readonly setup: Setup;
  readonly settings: PluginSettings;
  draws: readonly number[];
  rates: Both<number>;
  thresholds: Both<number>;
  counted: Counted;
  #tick = 0;

  constructor(vector: Vector) {
    const { config, initial } = vector;
    this.vector = vector;
    this.settings = { ...config, sections: {} };
    this.draws = initial.rng_init;
    this.rates = { download: initial.cur_dl_rate!, upload: initial.cur_ul_rate! };
    this.thresholds = { download: config.dl_max_delta_owd!, upload: config.ul_max_delta_owd! };
    this.counted = { at: initial.t!, bytes: { download: initial.rx_bytes!, upload: initial.tx_bytes! } };
    this.setup = {
      bounds: {
        download: { min: config.min_dl_rate!, base: config.base_dl_rate!, max: Infinity },
        upload: { min: config.min_ul_rate!, base: config.base_ul_rate!, max: Infinity },
      },
      start: this.rates,
      now: initial.t!,
      bytes: this.counted.bytes,
      period: config.tick_duration!,
    };
  }

  /** The input of a tick; undefined when the original did nothing in it but, maybe, count. */
  input({ in: given }: Tick): TickInput | undefined {
    if (given.t - this.counted.at <= 0.5 || given.peers_nil) return undefined;
    const now: Counted = { at: given.t, bytes: { download: given.rx_bytes, upload: given.tx_bytes } };
    const { elapsed, achieved, load } = loads(this.counted, now, this.rates);
    const deltas = deltasOf(given, this.vector.config.tick_duration!);
    this.counted = now;
    if (given.read_failures !== undefined) return undefined;
    this.#tick += 1;
    const directions = both((d) => ({
      deltas: deltas[d],
      rate: this.rates[d],
      bytes: now.bytes[d],
      achieved: achieved[d],
      load: load[d],
      bounds: this.setup.bounds[d],
      threshold: this.thresholds[d],
    }));
    return { now: given.t, elapsed, tick: this.#tick, directions, samples: [], outstanding: [] };
  }
}

const same = (actual: unknown, wanted: unknown, what: string): void =>
  assert.ok(Object.is(actual, wanted), `${what}: ${String(actual)}, recorded ${String(wanted)}`);

async function replay(name: string): Promise<number> {
  const vector = autorateGolden(name) as Vector;
  const run = new Replay(vector);
  // The seed of the script's own sequence; numbers that are not recorded come from there, and show.
  const random = (): number => 0.5;
  await using controller = await LuaController.open({
    path: join(SCRIPTS, "controllers/ewma.lua"),
    setup: run.setup,
    settings: run.settings,
    options: {},
    onError: "min",
    random,
    draws: () => run.draws,
    limits,
  });
  const paths = name.includes("-plugin-") ? [recordedPlugin(name, vector)] : [];
  await using plugins = await Plugins.open(paths, run.settings, {
    random,
    ...(paths.length > 0 && { random: () => 0.5 }),
    limits,
  });
  let compared = 0;
  for (const [index, tick] of vector.ticks.entries()) {
    const at = `tick ${index}`;
    const { out } = tick;
    const input = run.input(tick);
    // The original died of its counters, too, which are the runner's here.
    if (out.crash?.includes("bytes_file")) return compared;
    if (input) {
      run.draws = tick.rng ?? [];
      const decision = await controller.decide(input);
      assert.notEqual(decision.download.branch, "lua-error", `${at}: ${decision.download.blocked}`);
      const readings = readingsOf(input, decision, 0);
      const asked = readings && (await plugins.process(readings));
      const { rates, thresholds } = asked ?? { rates: both((d) => decision[d].rate), thresholds: run.thresholds };
      if (out.crash !== undefined) {
        // The original died of its plugin here; ours goes on without what the plugin said.
        const fatal = fatalOf(name);
        assert.ok(fatal, `${at}: an end that nothing is known of: ${out.crash}`);
        assert.deepEqual(
          rates,
          both((d) => decision[d].rate),
        );
        assert.match(asked!.notes.join("\n"), fatal.note);
        assert.deepEqual([plugins.states[0]!.state, plugins.states[0]!.failures], ["running", fatal.failures]);
        return compared + 1;
      }
      assert.equal(decision.reselect, out.reselect, at);
      assert.equal(readings === undefined, out.readings === null, at);
      for (const [key, value] of Object.entries(out.readings ?? {})) {
        same((readings as unknown as Numbers)[key], value, `${at} ${key}`);
        compared += 1;
      }
      run.thresholds = thresholds;
      run.rates = both((d) => settle(rates[d], run.setup.bounds[d]));
    }
    same(run.rates.download, out.dl_rate, `${at} dl_rate`);
    same(run.rates.upload, out.ul_rate, `${at} ul_rate`);
    compared += 2;
  }
  return compared;
}

describe("ewma.lua as sqm-autorate", { skip: skipAutorateGolden }, () => {
  const names = autorateGoldens("rate-lua-");
  it("has records", () => assert.ok(names.length >= 26, `only ${names.length}`));
  for (const name of names) it(name, async () => assert.ok((await replay(name)) > 0, "nothing was compared"));
});

/** A record of a plugin. */
interface PluginVector {
  readonly plugin_uci: Readonly<Record<string, string>>;
  readonly settings?: Numbers;
  readonly ticks: readonly {
    readonly in: Numbers;
    readonly out?: Readonly<Record<string, number | boolean>>;
    readonly logged: boolean | number;
    readonly text?: string | null;
  }[];
}

/** Opens one of the shipped plugins as it was recorded. */
async function opened(plugin: string, { settings = {}, plugin_uci }: PluginVector): Promise<Plugins> {
  const plugins = await Plugins.open(
    [join(SCRIPTS, `plugins/${plugin}.lua`)],
    { ...settings, sections: { [plugin]: plugin_uci } },
    { random: () => 0.5, limits },
  );
  assert.deepEqual(
    plugins.states.map(({ state, name, reason }) => ({ state, name, reason })),
    [{ state: "running", name: plugin, reason: undefined }],
  );
  return plugins;
}

describe("delay_histogram.lua as the original", { skip: skipAutorateGolden }, () => {
  const names = autorateGoldens("plugin-delay-histogram-");
  it("has records", () => assert.ok(names.length >= 3, `only ${names.length}`));
  for (const name of names)
    it(name, async () => {
      const vector = autorateGolden(name) as PluginVector;
      await using plugins = await opened("delay_histogram", vector);
      let changes = 0;
      for (const [index, { in: readings, out = {} }] of vector.ticks.entries()) {
        // Thresholds that no record has: what is not set shows.
        const given = { ...readings, ul_max_delta_owd: 1001, dl_max_delta_owd: 1002 } as unknown as PluginReadings;
        const { rates, thresholds } = await plugins.process(given);
        const actual = {
          ul_max_delta_owd: thresholds.upload,
          dl_max_delta_owd: thresholds.download,
          next_ul_rate: rates.upload,
          next_dl_rate: rates.download,
        };
        for (const [key, value] of Object.entries(actual)) {
          same(value, out[key] ?? given[key as keyof PluginReadings], `tick ${index} ${key}`);
          if (out[key] !== undefined) changes += 1;
        }
      }
      assert.ok(changes > 0, "the record changes nothing");
    });
});

describe("log_readings.lua as the original", { skip: skipAutorateGolden }, () => {
  const lines: string[] = [];
  before(() => configureLogs({ autorate: "info" }, (line) => lines.push(line)));
  after(() => configureLogs({}, () => undefined));

  it("plugin-log-readings", async () => {
    const vector = autorateGolden("plugin-log-readings") as PluginVector;
    await using plugins = await opened("log_readings", vector);
    for (const [index, { in: readings, logged, text }] of vector.ticks.entries()) {
      lines.length = 0;
      const given = { ...readings, ul_max_delta_owd: 15, dl_max_delta_owd: 15 } as unknown as PluginReadings;
      const { notes } = await plugins.process(given);
      assert.deepEqual(notes, []);
      assert.equal(lines.length, logged ? 1 : 0, `tick ${index}`);
      if (!logged) continue;
      assert.match(lines[0]!, / info autorate\.lua: /);
      assert.ok(lines[0]!.endsWith(`log_readings.lua: ${text!.replace(/^INFO: /, "")}`), `tick ${index}: ${lines[0]}`);
    }
  });
});

describe("what sqm-autorate ships and could not start", { skip: skipAutorateGolden }, () => {
  it("starts here, with names and without errors", async () => {
    const { rows } = autorateGolden("plugin-shipped-status") as {
      readonly rows: readonly { readonly plugin: string }[];
    };
    const names = rows.map(({ plugin }) => plugin.replaceAll("-", "_"));
    const paths = names.map((name) => join(SCRIPTS, `plugins/${name}.lua`));
    const settings = {
      min_dl_rate: 10_000,
      min_ul_rate: 2000,
      dl_max_delta_owd: 15,
      ul_max_delta_owd: 15,
      sections: {},
    };
    await using plugins = await Plugins.open(paths, settings, { random: () => 0.5, limits });
    const { in: readings } = (autorateGolden("plugin-log-readings") as PluginVector).ticks[0]!;
    const given = { ...readings, next_dl_rate: 30_001, ul_max_delta_owd: 15, dl_max_delta_owd: 15 };
    const { rates } = await plugins.process(given as unknown as PluginReadings);
    assert.deepEqual(rates, { download: 31_000, upload: 6000 });
    assert.deepEqual(
      plugins.states.map(({ name, state, failures }) => [name, state, failures]),
      names.map((name) => [name, "running", 0]),
    );
  });
});
