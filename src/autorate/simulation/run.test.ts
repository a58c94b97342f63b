import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both, type Both, DIRECTIONS } from "../../core/both.ts";
import type { Controller } from "../controllers/controller.ts";
import { EWMA_DEFAULTS, ewma } from "../controllers/ewma.ts";
import { SLUICE_DEFAULTS } from "../controllers/sluice/options.ts";
import { sluice } from "../controllers/sluice/sluice.ts";
import { figuresOf } from "../figures/figures.ts";
import { meanHeld, meanOfAverages, type RunSeries } from "../figures/series.ts";
import type { Decision, Setup, TickInput } from "../model.ts";
import { simulate } from "./run.ts";
import { type MakeScenario, type Scenario, SCENARIOS } from "./scenario.ts";

const named = (name: string): MakeScenario => SCENARIOS.find((make) => make(0).name === name)!;

/** One that sets the same rates all the time. */
const fixed = (rates: Both<number>, period = 0.1): Controller<undefined> => ({
  name: "fixed",
  period,
  init: () => undefined,
  step: () => ({ state: undefined, decision: both((d) => ({ rate: rates[d], branch: "fixed" })) }),
});

const plain = (runs: Both<RunSeries>): unknown =>
  both((d) => {
    const { probes, throughput, rates } = runs[d];
    return [probes, throughput, rates].map(({ at, value }) => [Array.from(at), Array.from(value)]);
  });

const near = (actual: number, expected: number, within: number): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);

describe("a run", () => {
  it("is the same to the bit with the same seed, and another with another", () => {
    for (const name of ["both", "half-lying", "idle-spikes"])
      for (const make of [() => sluice(SLUICE_DEFAULTS), () => ewma(EWMA_DEFAULTS)]) {
        const run = (seed: number): unknown => plain(simulate<unknown>(named(name)(seed), make()));
        assert.deepEqual(run(4), run(4));
        assert.notDeepEqual(run(4), run(5));
      }
  });

  it("has the delay of a full buffer when nobody controls it", () => {
    for (const seed of [1, 2, 3]) {
      const scenario = named("upload")(seed);
      const { phases } = figuresOf(simulate(scenario, undefined).upload);
      const milliseconds = scenario.buffer * 1000;
      near(phases.steady!.p50, milliseconds, 2);
      // The buffer keeps its bytes, so it takes longer to empty at 40 % of the rate.
      near(phases.low!.p50, milliseconds / 0.4, 4);
      near(phases.rise!.p50, milliseconds, 2);
      near(phases.idle!.p50, 0, 2);
      near(phases.steady!.used, 1, 0.001);
      // 8 Mbit/s are sent, so this share is lost, and of the probes as well.
      const lost = 1 - scenario.capacity.upload[0]![1] / 8000;
      near(phases.steady!.lost, lost, 0.07);
    }
  });

  it("has the delay of a full buffer in the other direction, too", () => {
    const scenario: Scenario = {
      ...named("download")(2),
      loads: { upload: [], download: [{ from: 5, to: 70, kind: "udp", rate: 30_000 }] },
    };
    near(figuresOf(simulate(scenario, undefined).download).phases.steady!.p50, scenario.buffer * 1000, 2);
  });

  it("carries what is sent and no more than it can", () => {
    for (const make of SCENARIOS) {
      const scenario = make(3);
      const runs = simulate(scenario, sluice(SLUICE_DEFAULTS));
      for (const d of DIRECTIONS) {
        const { throughput, capacity } = runs[d];
        for (let at = 1; at < scenario.seconds - 1; at += 1) {
          const carried = meanOfAverages(throughput, at, at + 1);
          // Throughput is noted every 0.1 s, so a change falls somewhere in between.
          const possible = Math.max(...[-0.1, 0, 0.1].map((off) => meanHeld(capacity, at + off, at + 1 + off)));
          assert.ok(carried <= possible * 1.001 + 1, `${scenario.name} ${d} at ${at}: ${carried} of ${possible}`);
        }
      }
    }
  });

  it("carries all that is sent when the line and its shaper have room for it", () => {
    const scenario: Scenario = {
      ...named("upload")(1),
      loads: { download: [], upload: [{ from: 10, to: 60, kind: "udp", rate: 1500 }] },
    };
    const { upload } = simulate(scenario, fixed({ download: 20_000, upload: 4000 }));
    near(meanOfAverages(upload.throughput, 5, 65), (1500 * 50) / 60, 1);
    const { phases } = figuresOf(upload);
    near(phases.low!.p95, phases.idle!.p95, 2);
  });

  it("keeps the queue out of the line when the shaper is slower", () => {
    const scenario = named("upload")(1);
    const { phases } = figuresOf(simulate(scenario, fixed({ download: 20_000, upload: 1500 })).upload);
    for (const name of ["start", "steady", "drop", "low", "rise"] as const) {
      near(phases[name]!.throughput, 1500, 20);
      near(phases[name]!.p50, phases.idle!.p50, 2);
    }
    // The last one may still be under way at the end.
    assert.ok(phases.loaded!.lost < 0.001, `${phases.loaded!.lost}`);
  });

  it("tells its phases, the least rate and what the line can", () => {
    const scenario = named("download")(1);
    const { download, upload } = simulate(scenario, undefined);
    assert.deepEqual(
      download.phases.map(({ name }) => name),
      ["idle", "start", "steady", "drop", "low", "rise"],
    );
    assert.deepEqual(
      upload.phases.map(({ name }) => name),
      ["idle"],
    );
    assert.equal(download.minimum, scenario.bounds.download.min);
    assert.equal(download.rates.at.length, 0);
    assert.deepEqual(
      Array.from(download.capacity.value),
      scenario.capacity.download.map(([, value]) => value),
    );
    const { base } = scenario.reflectors[0]!;
    near(download.idle, base.download + base.upload, 2 * scenario.jitter);
  });
});

describe("the controller of a run", () => {
  /** Watches all that a controller is told. */
  function watched(make: MakeScenario, rates: Both<number>, period = 0.1) {
    const ticks: { readonly input: TickInput; readonly decision: Decision }[] = [];
    let setup: Setup | undefined;
    const controller = fixed(rates, period);
    const listening: Controller<undefined> = {
      ...controller,
      init(told) {
        setup = told;
        return undefined;
      },
    };
    const runs = simulate(make(1), listening, (input, decision) => ticks.push({ input, decision }));
    return { ticks, setup: setup!, runs };
  }

  it("is asked at its pace, and told how long it was and what was sent", () => {
    for (const period of [0.1, 0.2, 0.5]) {
      const { ticks, setup, runs } = watched(named("upload"), { download: 10_000, upload: 3000 }, period);
      assert.equal(setup.period, period);
      near(ticks.length, 70 / period, 1);
      let { bytes, now } = setup;
      let rate = setup.start;
      ticks.forEach(({ input }, index) => {
        assert.equal(input.tick, index + 1);
        near(input.elapsed, period, 0.01 + 1e-9);
        near(input.now - now, input.elapsed, 1e-9);
        for (const d of DIRECTIONS) {
          const side = input.directions[d];
          near(side.achieved, ((side.bytes - bytes[d]) * 8) / 1000 / input.elapsed, 1e-6);
          assert.equal(side.rate, rate[d]);
          near(side.load, side.achieved / side.rate, 1e-9);
          assert.ok(Number.isInteger(side.bytes) && side.bytes >= bytes[d]);
        }
        ({ now } = input);
        bytes = both((d) => input.directions[d].bytes);
        rate = { download: 10_000, upload: 3000 };
      });
      assert.equal(runs.upload.rates.at.length, ticks.length);
    }
  });

  it("is handed each answer once, and what is waited for", () => {
    const { ticks } = watched(named("download"), { download: 10_000, upload: 3000 });
    const keys = ticks.flatMap(({ input }) => input.samples.map(({ reflector, sent }) => `${reflector} ${sent}`));
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(keys.length > 1300, `${keys.length} answers in 70 s of 20 a second`);
    for (const { input } of ticks) {
      for (const { received, sent } of input.samples) assert.ok(received <= input.now && sent < received);
      for (const { sent } of input.outstanding) assert.ok(sent <= input.now);
    }
  });

  it("gets what it asks for in whole kbit/s, within the bounds", () => {
    const { min, max } = named("download")(1).bounds.download;
    const settled = (download: number): number =>
      Number(watched(named("download"), { download, upload: 3000 }).runs.download.rates.value[5]);
    assert.equal(settled(9999.9), 9999);
    assert.equal(settled(1), min);
    assert.equal(settled(1e9), max);
    assert.equal(settled(Number.NaN), min);
  });
});
