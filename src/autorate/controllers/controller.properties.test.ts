/** What holds of every controller whatever it is told, as long as it is finite: no crash, no rate that is none, no growth of what it knows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { both, type Both, DIRECTIONS } from "../../core/both.ts";
import type { Bounds, Judged, Outstanding, TickInput } from "../model.ts";
import { settle } from "../runner/settle.ts";
import { seeded } from "../simulation/random.ts";
import { cake, CAKE_DEFAULTS } from "./cake.ts";
import type { Controller } from "./controller.ts";
import { EWMA_DEFAULTS, ewma } from "./ewma.ts";
import { SLUICE_DEFAULTS } from "./sluice/options.ts";
import { sluice, type SluiceState } from "./sluice/sluice.ts";

const finite = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
/** Mostly what happens, now and then what cannot. */
const DELTA = fc.oneof(
  { weight: 6, arbitrary: finite(-5, 60) },
  { weight: 2, arbitrary: finite(0, 3000) },
  finite(-1e9, 1e9),
);
const REFLECTOR = fc.nat(5).map((index) => `192.0.2.${index}`);
const AGE = fc.oneof({ weight: 8, arbitrary: finite(0, 0.5) }, finite(0, 100));
const ANSWER = fc.record({
  reflector: REFLECTOR,
  mode: fc.constantFrom("timestamp" as const, "timestamp-rtt" as const, "echo" as const),
  age: AGE,
  trip: fc.oneof({ weight: 8, arbitrary: finite(0.001, 0.5) }, finite(0, 60)),
  delta: fc.record({ download: DELTA, upload: DELTA }),
  offset: finite(-9e7, 9e7),
});
const WAITED = fc.record({
  reflector: REFLECTOR,
  age: AGE,
  baseline: fc.option(finite(0.1, 2000), { nil: undefined }),
});
/** Of the rate; more than 1 is what a clock that is late makes of it. */
const LOAD = fc.oneof(fc.constantFrom(0, 0.5, 0.95, 1), finite(0, 1.2), finite(0, 1000));
const TICK = fc.record({
  elapsed: fc.oneof({ weight: 8, arbitrary: finite(0.09, 0.3) }, finite(0.001, 100)),
  loads: fc.record({ download: LOAD, upload: LOAD }),
  answers: fc.array(ANSWER, { maxLength: 8 }),
  waited: fc.array(WAITED, { maxLength: 12 }),
  /** Somebody else sets another rate, of base. */
  foreign: fc.option(finite(0.2, 3), { nil: undefined, freq: 10 }),
});
const BOUNDS: fc.Arbitrary<Bounds> = fc
  .record({
    min: fc.oneof(finite(1, 100), finite(1, 1e6)),
    base: finite(1, 10),
    max: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), finite(1, 10)),
  })
  .map(({ min, base, max }) => ({ min, base: min * base, max: min * base * max }));
const RUN = fc.record({
  seed: fc.nat(),
  download: BOUNDS,
  upload: BOUNDS,
  threshold: finite(0.1, 500),
  ticks: fc.array(TICK, { minLength: 1, maxLength: 60 }),
});
type Run = typeof RUN extends fc.Arbitrary<infer R> ? R : never;

/** Everything that a state has in it. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (value instanceof Map) return [...value.values()].flatMap((inner) => numbersIn(inner));
  return typeof value === "object" && value !== null ? Object.values(value).flatMap((inner) => numbersIn(inner)) : [];
}

/** Runs a controller, with a look at each step. */
function drive<S>(
  controller: Controller<S>,
  { seed, download, upload, threshold, ticks }: Run,
  least: number,
  look: (state: S) => void,
) {
  const random = seeded(seed);
  const bounds: Both<Bounds> = { download, upload };
  let rates = both((d) => settle(bounds[d].base, bounds[d]));
  let bytes = both(() => 1e9);
  let now = 1000;
  let state = controller.init({ bounds, start: rates, now, bytes, period: controller.period }, random);
  for (const [index, { elapsed, loads, answers, waited, foreign }] of ticks.entries()) {
    now += elapsed;
    if (foreign !== undefined) rates = both((d) => settle(bounds[d].base * foreign, bounds[d]));
    const before = bytes;
    bytes = both((d) => Math.floor(before[d] + loads[d] * rates[d] * 125 * elapsed));
    const samples = answers
      .map(({ reflector, mode, age, trip, delta, offset }): Judged => {
        const received = now - age;
        const owd = { download: offset + delta.download, upload: delta.upload - offset };
        return { reflector, mode, sent: received - trip, received, owd, rtt: trip * 1000, delta };
      })
      .toSorted((a, b) => a.received - b.received);
    const outstanding = waited
      .map(({ reflector, age, baseline }): Outstanding => ({
        reflector,
        sent: now - age,
        ...(baseline !== undefined && { baseline }),
      }))
      .toSorted((a, b) => a.sent - b.sent);
    const rate = rates;
    const directions = both((d) => {
      const achieved = ((bytes[d] - before[d]) * 8) / 1000 / elapsed;
      const deltas = samples.map(({ delta }) => delta[d]).toSorted((a, b) => a - b);
      return {
        deltas,
        rate: rate[d],
        bytes: bytes[d],
        achieved,
        load: achieved / rate[d],
        bounds: bounds[d],
        threshold,
      };
    });
    const input: TickInput = { now, elapsed, tick: index + 1, directions, samples, outstanding };
    const step = controller.step(state, input, random);
    state = step.state;
    for (const d of DIRECTIONS) {
      const verdict = step.decision[d];
      assert.ok(Number.isFinite(verdict.rate) && verdict.rate >= least, `${verdict.branch}: a rate of ${verdict.rate}`);
      assert.ok(verdict.branch !== "", "it says what it did");
      assert.ok(verdict.capacity === undefined || (Number.isFinite(verdict.capacity) && verdict.capacity > 0));
    }
    rates = both((d) => settle(step.decision[d].rate, bounds[d]));
    for (const d of DIRECTIONS)
      assert.ok(rates[d] >= bounds[d].min && rates[d] <= Math.max(bounds[d].max, Math.ceil(bounds[d].min)));
    // Infinity is a time that never was.
    assert.ok(!numbersIn(state).some((number) => Number.isNaN(number)), "what it knows are numbers");
    look(state);
  }
}

const holds = <S>(controller: Controller<S>, least: number, look: (state: S) => void, numRuns = 150): void =>
  fc.assert(
    fc.property(RUN, (run) => {
      drive(controller, run, least, look);
    }),
    { numRuns },
  );

describe("whatever a controller is told", () => {
  it("sluice sets a rate above none, and forgets", () => {
    const bounded = (state: SluiceState): void => {
      for (const d of DIRECTIONS) {
        const { points, counts, past, hold, quiet, capacity } = state[d];
        // Points by what comes in 1.5 s and a tick, counts by ticks of 1 ms in 3 s, capacities of a minute that differ.
        assert.ok(points.length <= 8 * 60 && counts.length <= 61, `${points.length} points, ${counts.length} counts`);
        assert.ok(past.length <= 60 && hold <= SLUICE_DEFAULTS.holdMost && quiet <= 50);
        assert.ok(capacity === undefined || capacity > 0);
      }
    };
    holds(sluice(SLUICE_DEFAULTS), Number.MIN_VALUE, bounded, 400);
  });

  it("sluice with any options that may be given, too", () => {
    const options = fc.record({
      headroom: finite(0, 0.5),
      excess: finite(0.01, 0.5),
      holdFirst: finite(0.05, 60),
      holdMost: finite(60, 60),
      drainTime: finite(0.05, 60),
      drainFloor: finite(0.05, 0.95),
      idleDecay: finite(0, 0.5),
      highLoad: finite(0, 2),
      activeRate: finite(1, 1e6),
    });
    fc.assert(
      fc.property(options, RUN, (chosen, run) => {
        // Twice what is left free may be all: then silence leaves nothing but the minimum.
        drive(sluice(chosen), run, 0, () => undefined);
      }),
      { numRuns: 150 },
    );
  });

  it("ewma sets a rate, and keeps as many safe ones as it began with", () => {
    for (const compat of ["none", "lua", "rust"] as const)
      for (const idleDecay of [false, true]) {
        const options = { ...EWMA_DEFAULTS, compat, idleDecay, speedHistory: 10 };
        // Of a line on which nothing was sent 90 % are nothing: the minimum is what is set.
        holds(ewma(options), 0, (state) => {
          for (const d of DIRECTIONS) assert.ok(state[d].safe.length === 10 && state[d].next < 10);
        });
      }
  });

  it("cake sets a whole rate within the bounds, and knows nobody but the reflectors", () => {
    holds(cake(CAKE_DEFAULTS), 1, ({ reflectors, sides }) => {
      assert.ok(reflectors.size <= 6);
      for (const d of DIRECTIONS) assert.equal(sides[d].deltas.length, CAKE_DEFAULTS.window);
    });
  });
});

describe("what a controller knows after long", () => {
  /** Six minutes of busy ticks. */
  const ticks = (period: number): Run["ticks"] => {
    const random = seeded(5);
    return Array.from({ length: Math.round(360 / period) }, () => ({
      elapsed: period,
      loads: { download: random() < 0.7 ? 0.98 : random(), upload: random() },
      answers: Array.from({ length: Math.round(20 * period) }, (_, i) => ({
        reflector: `192.0.2.${i % 6}`,
        mode: "timestamp" as const,
        age: 0.04,
        trip: 0.03,
        delta: { download: random() < 0.2 ? 80 * random() : random(), upload: 5 * random() },
        offset: 17,
      })),
      waited: [],
      foreign: undefined,
    }));
  };
  const bounds: Bounds = { min: 2000, base: 10_000, max: 40_000 };
  const sizes = <S>(controller: Controller<S>): number[] => {
    const found: number[] = [];
    const run: Run = { seed: 1, download: bounds, upload: bounds, threshold: 15, ticks: ticks(controller.period) };
    drive(controller, run, 0, (state) => found.push(numbersIn(state).length));
    return found;
  };

  it("is as much as after a minute", () => {
    for (const controller of [sluice(SLUICE_DEFAULTS), ewma(EWMA_DEFAULTS), cake(CAKE_DEFAULTS)]) {
      const found = sizes<unknown>(controller);
      const minute = Math.max(...found.slice(0, Math.round(120 / controller.period)));
      assert.ok(Math.max(...found) <= 1.5 * minute, `${controller.name}: ${minute}, then ${Math.max(...found)}`);
    }
  });
});
