/** The EWMA controller against recorded runs of both originals: every rate, load and reading equal to the last bit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EWMA_DEFAULTS, type EwmaState, deltaStatistic, ewma } from "../src/autorate/controllers/ewma.ts";
import { csvRow } from "../src/autorate/record/csv.ts";
import type { Bounds, Random, TickInput } from "../src/autorate/model.ts";
import { type Counted, loads } from "../src/autorate/runner/measure.ts";
import { settle } from "../src/autorate/runner/settle.ts";
import { both, type Both, DIRECTIONS } from "../src/core/both.ts";
import { autorateGolden, autorateGoldens, skipAutorateGolden } from "./helpers/autorate-golden.ts";

interface Vector {
  readonly config: Readonly<Record<string, number>>;
  readonly initial: {
    readonly t: number;
    readonly rx_bytes: number;
    readonly tx_bytes: number;
    readonly cur_dl_rate: number;
    readonly cur_ul_rate: number;
    readonly rng_init?: readonly number[];
    readonly safe_dl_rates: readonly number[];
    readonly safe_ul_rates: readonly number[];
  };
  readonly ticks: readonly {
    readonly in: {
      readonly t: number;
      readonly rx_bytes: number;
      readonly tx_bytes: number;
      readonly peers_nil?: boolean;
      readonly read_failures?: unknown;
      readonly reflectors: readonly (({ readonly age_s: number } & Readonly<Record<string, number>>) | null)[];
    };
    readonly rng?: readonly number[];
    readonly plugin_result?: unknown;
    readonly out: Readonly<Record<string, unknown>>;
  }[];
}

/** Deltas of the reflectors that answered within two ticks. */
function deltasOf({ reflectors }: Vector["ticks"][number]["in"], tick: number): Both<number[]> {
  const fresh = reflectors.flatMap((r) => (r !== null && r.age_s < 2 * tick ? [r] : []));
  const sorted = (end: "down" | "up"): number[] =>
    fresh.map((r) => r[`recent_${end}`]! - r[`base_${end}`]!).toSorted((a, b) => a - b);
  return { download: sorted("down"), upload: sorted("up") };
}

const drawn = (draws: readonly number[]): Random => {
  let at = 0;
  return () => draws[at++] ?? assert.fail("more random numbers were drawn than recorded");
};

const boundsOf = ({ config }: Vector): Both<Bounds> => ({
  download: { min: config.min_dl_rate!, base: config.base_dl_rate!, max: Number.POSITIVE_INFINITY },
  upload: { min: config.min_ul_rate!, base: config.base_ul_rate!, max: Number.POSITIVE_INFINITY },
});

/** Numbers that a plugin's result asks for, as Lua would read them. */
const overrides = (result: unknown): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries((result ?? {}) as Readonly<Record<string, unknown>>).map(([key, value]) => [key, Number(value)]),
  );

/** Steps through a vector; `check` compares one tick. */
class Replay {
  readonly vector: Vector;
  readonly bounds: Both<Bounds>;
  readonly controller;
  state: EwmaState;
  rates: Both<number>;
  thresholds: Both<number>;
  counted: Counted;
  /** The last input, and the random numbers left. */
  #tick = 0;

  constructor(vector: Vector, compat: "lua" | "rust", init: Random) {
    const { config, initial } = vector;
    this.vector = vector;
    this.bounds = boundsOf(vector);
    const options = { speedHistory: config.histsize!, highLoad: config.high_load_level! };
    this.controller = ewma({ ...EWMA_DEFAULTS, ...options, compat });
    this.rates = { download: initial.cur_dl_rate, upload: initial.cur_ul_rate };
    this.thresholds = { download: config.dl_max_delta_owd!, upload: config.ul_max_delta_owd! };
    this.counted = { at: initial.t, bytes: { download: initial.rx_bytes, upload: initial.tx_bytes } };
    const setup = {
      bounds: this.bounds,
      start: this.rates,
      now: initial.t,
      bytes: this.counted.bytes,
      period: config.tick_duration!,
    };
    this.state = this.controller.init(setup, init);
  }

  input(given: Vector["ticks"][number]["in"]): TickInput {
    const now: Counted = { at: given.t, bytes: { download: given.rx_bytes, upload: given.tx_bytes } };
    const { elapsed, achieved, load } = loads(this.counted, now, this.rates);
    const deltas = deltasOf(given, this.vector.config.tick_duration!);
    this.counted = now;
    this.#tick += 1;
    return {
      now: given.t,
      elapsed,
      tick: this.#tick,
      samples: [],
      outstanding: [],
      directions: both((d) => ({
        deltas: deltas[d],
        rate: this.rates[d],
        bytes: now.bytes[d],
        achieved: achieved[d],
        load: load[d],
        bounds: this.bounds[d],
        threshold: this.thresholds[d],
      })),
    };
  }
}

const START_SECONDS = 1_700_000_000;

function replayLua(name: string): void {
  const vector = autorateGolden(name) as Vector;
  const { initial } = vector;
  const replay = new Replay(vector, "lua", drawn(initial.rng_init!));
  assert.deepEqual(replay.state.download.safe, initial.safe_dl_rates);
  assert.deepEqual(replay.state.upload.safe, initial.safe_ul_rates);
  let changed = initial.t;
  for (const [index, { in: given, out, rng, plugin_result }] of vector.ticks.entries()) {
    // What upstream dies of is the plugin's or the reader's business here, and tested there.
    if ("crash" in out) return;
    const at = `tick ${index}`;
    if (given.t - changed > 0.5 && !given.peers_nil) {
      const input = replay.input(given);
      changed = given.t;
      if (given.read_failures !== undefined) {
        assert.equal(out.readings, null, at);
        // Upstream counts on from what it read the second time, and decides nothing.
        replay.state = both((d) => ({ ...replay.state[d], bytes: input.directions[d].bytes, at: given.t }));
      } else {
        const { state, decision } = replay.controller.step(replay.state, input, drawn(rng ?? []));
        replay.state = state;
        assert.equal(decision.reselect, out.reselect, at);
        const results = overrides(plugin_result);
        const none = out.readings === null;
        const { download, upload } = input.directions;
        if (!none) {
          const readings = {
            now_s: Math.floor(given.t),
            tx_load: upload.load,
            rx_load: download.load,
            up_del_stat: deltaStatistic(upload.deltas),
            down_del_stat: deltaStatistic(download.deltas),
            up_utilisation: upload.achieved,
            down_utilisation: download.achieved,
            cur_ul_rate: upload.rate,
            cur_dl_rate: download.rate,
            next_ul_rate: decision.upload.rate,
            next_dl_rate: decision.download.rate,
          };
          const recorded = out.readings as Readonly<Record<string, number>>;
          for (const [key, value] of Object.entries(readings))
            assert.ok(value === recorded[key], `${at} ${key}: ${value} ${recorded[key]}`);
        }
        const wanted = {
          download: (none ? undefined : results.next_dl_rate) ?? decision.download.rate,
          upload: (none ? undefined : results.next_ul_rate) ?? decision.upload.rate,
        };
        if (!none)
          replay.thresholds = {
            download: results.dl_max_delta_owd ?? replay.thresholds.download,
            upload: results.ul_max_delta_owd ?? replay.thresholds.upload,
          };
        replay.rates = both((d) => settle(wanted[d], replay.bounds[d]));
        const csv = none
          ? null
          : csvRow({
              seconds: START_SECONDS + Math.floor(given.t),
              nanoseconds: Math.round((given.t - Math.floor(given.t)) * 1e9),
              load: both((d) => input.directions[d].load),
              delta: both((d) => deltaStatistic(input.directions[d].deltas)!),
              rate: replay.rates,
            });
        assert.equal(csv, out.csv, at);
      }
    }
    assert.ok(replay.rates.download === out.dl_rate, `${at} dl_rate ${replay.rates.download} ${String(out.dl_rate)}`);
    assert.ok(replay.rates.upload === out.ul_rate, `${at} ul_rate ${replay.rates.upload} ${String(out.ul_rate)}`);
  }
}

function replayRust(name: string): void {
  const vector = autorateGolden(name) as Vector;
  const { initial } = vector;
  const replay = new Replay(vector, "rust", () => 0.5);
  const safe = { download: initial.safe_dl_rates, upload: initial.safe_ul_rates };
  replay.state = both((d) => ({ ...replay.state[d], safe: safe[d] }));
  let changed = initial.t;
  for (const [index, { in: given, out }] of vector.ticks.entries()) {
    const at = `tick ${index}`;
    assert.equal(given.t - changed > 0.5, out.ran, at);
    if (out.ran !== true) continue;
    const picks = DIRECTIONS.flatMap(
      (d) => (out[d === "download" ? "pick_dl" : "pick_ul"] as number[] | undefined)?.[0] ?? [],
    );
    const { state, decision } = replay.controller.step(replay.state, replay.input(given), drawn(picks));
    replay.state = state;
    if (!out.no_data) changed = given.t;
    assert.equal(decision.reselect, out.reselect, at);
    const before = replay.rates;
    replay.rates = both((d) => settle(decision[d].rate, replay.bounds[d]));
    assert.ok(replay.rates.download === out.dl_rate, `${at} dl_rate ${replay.rates.download} ${String(out.dl_rate)}`);
    assert.ok(replay.rates.upload === out.ul_rate, `${at} ul_rate ${replay.rates.upload} ${String(out.ul_rate)}`);
    if (!out.no_data) {
      const written = { download: "dl", upload: "ul" };
      const writes = DIRECTIONS.filter((d) => replay.rates[d] !== before[d]).map((d) => written[d]);
      assert.deepEqual(writes, out.shaper_writes, at);
    }
  }
}

describe("EWMA as sqm-autorate", { skip: skipAutorateGolden }, () => {
  for (const name of autorateGoldens("rate-lua-")) it(name, () => replayLua(name));
});

describe("EWMA as sqm-autorate-rust", { skip: skipAutorateGolden }, () => {
  for (const name of autorateGoldens("rate-rust-")) it(name, () => replayRust(name));
});
