import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both, type Both, type Direction, DIRECTIONS } from "../../core/both.ts";
import type { Bounds, Decision, Random, TickInput } from "../model.ts";
import { seeded } from "../simulation/random.ts";
import { deltaStatistic, EWMA_DEFAULTS, type EwmaOptions, type EwmaState, ewma } from "./ewma.ts";

const BOUNDS: Bounds = { min: 2000, base: 10_000, max: 20_000 };
const THRESHOLD = 15;
const LOW: readonly number[] = [1, 1, 1, 1, 1, 1];
const HIGH: readonly number[] = [40, 40, 40, 40, 40, 40];

interface Told {
  /** Of each reflector. */
  readonly deltas?: readonly number[] | Both<readonly number[]>;
  readonly load?: number;
}

/** The controller tick by tick, both directions alike unless told otherwise. */
class Ewma {
  readonly #controller;
  readonly random: Random;
  state: EwmaState;
  rate: number;
  #now = 100;
  #tick = 0;
  #bytes = 0;

  constructor(options: Partial<EwmaOptions> = {}, rate = BOUNDS.base, random = seeded(3)) {
    this.#controller = ewma({ ...EWMA_DEFAULTS, ...options });
    this.random = random;
    this.rate = rate;
    const start = both(() => rate);
    const setup = { bounds: both(() => BOUNDS), start, now: this.#now, bytes: both(() => 0), period: 0.5 };
    this.state = this.#controller.init(setup, this.random);
  }

  history(): readonly number[] {
    return this.#controller.history!(this.state).download;
  }

  tick({ deltas = LOW, load = 0 }: Told): Decision {
    this.#now += 0.5;
    this.#tick += 1;
    this.#bytes += load * this.rate * 125 * 0.5;
    const of = (d: Direction): readonly number[] => ("download" in deltas ? deltas[d] : deltas);
    const directions = both((d) => ({
      deltas: of(d),
      rate: this.rate,
      bytes: this.#bytes,
      achieved: load * this.rate,
      load,
      bounds: BOUNDS,
      threshold: THRESHOLD,
    }));
    const input: TickInput = {
      now: this.#now,
      elapsed: 0.5,
      tick: this.#tick,
      directions,
      samples: [],
      outstanding: [],
    };
    const { state, decision } = this.#controller.step(this.state, input, this.random);
    this.state = state;
    this.rate = decision.download.rate;
    return decision;
  }
}

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6 * expected, `${actual} is not ${expected}`);

describe("the controller ewma", () => {
  it("goes by the third lowest delay, or the lowest of fewer than three", () => {
    assert.equal(deltaStatistic([1, 2, 30, 40]), 30);
    assert.equal(deltaStatistic([5, 90]), 5);
    assert.equal(deltaStatistic([]), undefined);
  });

  it("begins with safe rates a bit below base", () => {
    const rates = new Ewma({ speedHistory: 500 }).history();
    assert.equal(rates.length, 500);
    assert.ok(rates.every((rate) => rate >= 0.75 * BOUNDS.base && rate <= 0.95 * BOUNDS.base));
    assert.ok(new Set(rates).size > 400);
  });

  it("grows on a loaded line without delay, by more the further it is from the best safe rate, and remembers", () => {
    const made = new Ewma({}, 5000);
    const best = Math.max(...made.history());
    const { download } = made.tick({ load: 0.9 });
    assert.equal(download.branch, "grow");
    near(download.rate, 5000 * (1 + 0.1 * (1 - 5000 / best)) + 0.03 * BOUNDS.base);
    assert.equal(made.history()[0], 4500);
    const fast = new Ewma({}, 15_000);
    near(fast.tick({ load: 0.9 }).download.rate, 15_000 + 0.03 * BOUNDS.base);
  });

  it("writes over its oldest safe rate", () => {
    const made = new Ewma({ speedHistory: 3 });
    const rates: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      rates.push(Math.floor(made.rate * 0.9));
      made.tick({ load: 0.9 });
    }
    assert.deepEqual(
      made.history().toSorted((a, b) => a - b),
      rates.slice(-3).toSorted((a, b) => a - b),
    );
    assert.equal(made.history().length, 3);
  });

  it("cuts a loaded line at once, to 90 % of what was sent or a safe rate", () => {
    const made = new Ewma();
    const { download } = made.tick({ deltas: HIGH, load: 0.9 });
    assert.equal(download.branch, "cut");
    assert.ok(download.rate <= 0.81 * 10_000 && download.rate >= 0.75 * BOUNDS.base);
  });

  it("wants others when fewer than five answer", () => {
    assert.equal(new Ewma().tick({ deltas: LOW.slice(0, 4) }).reselect, true);
    assert.equal(new Ewma().tick({ deltas: LOW.slice(0, 5) }).reselect, false);
  });
});

describe("what is mended of ewma", () => {
  /** Delay of the third lowest reflector while the load is low: two of six are not late. */
  const SOME: readonly number[] = [1, 1, 40, 40, 40, 40];
  const FEW: readonly number[] = [-5, 1, 40];

  it("cut_at_low_load: one tick with delay of few is not believed, two are", () => {
    const confirm = new Ewma();
    assert.equal(confirm.tick({ deltas: FEW, load: 0.1 }).download.branch, "hold");
    assert.equal(confirm.tick({ deltas: FEW, load: 0.1 }).download.branch, "cut");
    const apart = new Ewma();
    for (let i = 0; i < 6; i += 1) {
      assert.equal(apart.tick({ deltas: FEW, load: 0.1 }).download.branch, "hold");
      assert.equal(apart.tick({ deltas: LOW, load: 0.1 }).download.branch, "hold");
    }
    assert.equal(apart.rate, BOUNDS.base);
  });

  it("cut_at_low_load: delay of half of them is believed at once, and on a loaded line any", () => {
    assert.equal(new Ewma().tick({ deltas: SOME, load: 0.1 }).download.branch, "cut");
    assert.equal(new Ewma().tick({ deltas: FEW, load: 0.9 }).download.branch, "cut");
  });

  it('cut_at_low_load = "always", and the originals: everything is believed', () => {
    for (const options of [{ cutAtLowLoad: "always" }, { compat: "lua" }, { compat: "rust" }] as const)
      assert.equal(new Ewma(options).tick({ deltas: FEW, load: 0.1 }).download.branch, "cut", JSON.stringify(options));
  });

  it("whole_ring: the last safe rate is picked as well, and without it never", () => {
    // The draw that would give the last.
    const draws = (): Random => () => 0.999_999;
    const rates = (options: Partial<EwmaOptions>): { rate: number; ring: readonly number[] } => {
      const made = new Ewma({ speedHistory: 2, cutAtLowLoad: "always", ...options });
      made.state = both((d) => ({ ...made.state[d], safe: [6000, 3000] }));
      const driven = Object.assign(made, { random: draws() });
      return { rate: driven.tick({ deltas: HIGH, load: 1 }).download.rate, ring: made.history() };
    };
    assert.equal(rates({ wholeRing: true }).rate, 3000);
    assert.equal(rates({ wholeRing: false }).rate, 6000);
    assert.equal(rates({ compat: "rust", wholeRing: false }).rate, 3000, "rust picks it whatever the option says");
    assert.equal(rates({ compat: "lua", wholeRing: true }).rate, 6000, "and lua never does");
  });

  it("whole_ring: a ring of one is picked from, too", () => {
    const made = new Ewma({ speedHistory: 1, wholeRing: false });
    const [only] = made.history();
    assert.ok(made.tick({ deltas: HIGH, load: 1 }).download.rate <= only!);
    const lua = new Ewma({ speedHistory: 1, compat: "lua" });
    near(lua.tick({ deltas: HIGH, load: 1 }).download.rate, 0.9 * 10_000);
  });

  it("idle_decay: without traffic the rate goes to base by 1 % of it a second, when it is on", () => {
    for (const start of [6000, 14_000]) {
      const on = new Ewma({ idleDecay: true }, start);
      assert.equal(on.tick({}).download.branch, "idle");
      near(on.rate, start + Math.sign(BOUNDS.base - start) * 50);
      for (let i = 0; i < 200; i += 1) on.tick({});
      assert.equal(on.rate, BOUNDS.base);
      const off = new Ewma({}, start);
      for (let i = 0; i < 200; i += 1) off.tick({});
      assert.equal(off.rate, start);
    }
  });

  it("idle_decay: not with traffic, not with delay, and not for the originals", () => {
    assert.equal(new Ewma({ idleDecay: true }, 6000).tick({ load: 0.3 }).download.branch, "hold");
    assert.notEqual(new Ewma({ idleDecay: true }, 6000).tick({ deltas: HIGH }).download.branch, "idle");
    for (const compat of ["lua", "rust"] as const)
      assert.equal(new Ewma({ idleDecay: true, compat }, 6000).tick({}).download.branch, "hold");
  });

  it("silence holds the rate; the originals go to the minimum", () => {
    const held = new Ewma({}, 7000).tick({ deltas: [], load: 0.9 });
    assert.deepEqual([held.download.rate, held.download.branch], [7000, "blind"]);
    for (const compat of ["lua", "rust"] as const)
      assert.equal(new Ewma({ compat }, 7000).tick({ deltas: [], load: 0.9 }).download.rate, BOUNDS.min);
  });

  it("a direction without data does not punish the other; with the originals it does", () => {
    const deltas = { download: [], upload: LOW };
    const { download, upload } = new Ewma({}, 7000).tick({ deltas, load: 0.9 });
    assert.deepEqual([download.branch, upload.branch], ["blind", "grow"]);
    for (const compat of ["lua", "rust"] as const) {
      const decision = new Ewma({ compat }, 7000).tick({ deltas, load: 0.9 });
      for (const d of DIRECTIONS) assert.equal(decision[d].rate, BOUNDS.min);
    }
  });

  it("counts on over silence as if nothing had been sent in it", () => {
    const made = new Ewma({}, 10_000);
    made.tick({ load: 0.5 });
    made.tick({ deltas: [], load: 1 });
    // What was sent while nobody answered is none of the next tick's load.
    assert.equal(made.tick({ load: 0.5 }).download.branch, "hold");
  });
});
