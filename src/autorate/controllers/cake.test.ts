import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both, type Both } from "../../core/both.ts";
import type { Bounds, Decision, Judged, TickInput } from "../model.ts";
import { seeded } from "../simulation/random.ts";
import { cake, CAKE_DEFAULTS, type CakeOptions, cakeThresholds } from "./cake.ts";

const BOUNDS: Bounds = { min: 2000, base: 10_000, max: 20_000 };
/** What a reflector's way takes without a queue, ms; its clock is off by as much as it likes. */
const OWD = 700;

/** An answer: so much over what is usual, ms, so long before the tick, s. */
interface Answer {
  readonly delay: number;
  readonly age?: number;
}

interface Told {
  readonly answers?: readonly Answer[];
  /** Of the rate. */
  readonly load?: number;
  /** What the shaper is set to when it is not what was decided. */
  readonly rate?: number;
}

/** The controller tick by tick. Both directions see the same. */
class Cake {
  readonly #options: CakeOptions;
  readonly #controller;
  readonly #bounds: Bounds;
  #state;
  #now = 100;
  #tick = 0;
  #turn = 0;
  rate: number;

  constructor(options: Partial<CakeOptions> = {}, rate = BOUNDS.base, bounds = BOUNDS) {
    this.#options = { ...CAKE_DEFAULTS, ...options };
    this.#controller = cake(this.#options);
    this.#bounds = bounds;
    this.rate = rate;
    const start = both(() => rate);
    const setup = { bounds: both(() => bounds), start, now: this.#now, bytes: both(() => 0), period: 0.2 };
    this.#state = this.#controller.init(setup, seeded(1));
  }

  tick({ answers = [], load = 0, rate = this.rate }: Told): Decision {
    this.#now += this.#controller.period;
    this.#tick += 1;
    const samples = answers.map(({ delay, age = 0.05 }): Judged => {
      const owd: Both<number> = { download: OWD + delay, upload: -OWD + delay };
      const received = this.#now - age;
      this.#turn += 1;
      const reflector = `r${this.#turn % 6}`;
      return { reflector, mode: "timestamp", sent: received - 0.03, received, owd, rtt: 30, delta: both(() => delay) };
    });
    const directions = both(() => ({
      deltas: [],
      rate,
      bytes: 0,
      achieved: load * rate,
      load,
      bounds: this.#bounds,
      threshold: 30,
    }));
    const input: TickInput = { now: this.#now, elapsed: 0.2, tick: this.#tick, directions, samples, outstanding: [] };
    const { state, decision } = this.#controller.step(this.#state, input, seeded(1));
    this.#state = state;
    this.rate = decision.download.rate;
    return decision;
  }

  /** Ticks so often with the same; gives the branches. */
  run(ticks: number, told: Told): string[] {
    return Array.from({ length: ticks }, () => this.tick(told).download.branch);
  }
}

const FOUR = (delay: number): readonly Answer[] => Array.from({ length: 4 }, () => ({ delay }));
/** Reflectors are known and the rests after the start are over. */
function settled(options: Partial<CakeOptions> = {}, rate = BOUNDS.base, bounds = BOUNDS): Cake {
  const made = new Cake({ decayRest: 1e12, ...options }, rate, bounds);
  made.run(10, { answers: FOUR(0) });
  return made;
}

describe("the controller cake", () => {
  it("holds without an answer, and says so", () => {
    const { download, upload } = settled().tick({ load: 0.9 });
    assert.deepEqual(download, { rate: 10_000, branch: "hold", blocked: "no answer" });
    assert.deepEqual(upload, download);
  });

  it("passes over answers that came too long ago", () => {
    const made = settled();
    const stale = made.tick({ answers: FOUR(90).map((answer) => ({ ...answer, age: 0.6 })), load: 0.9 });
    assert.equal(stale.download.blocked, "no answer");
    assert.equal(
      made.tick({ answers: FOUR(90).map((answer) => ({ ...answer, age: 0.4 })), load: 0.9 }).download.branch,
      "cut",
    );
  });

  it("cuts by how late they are: from 1 to 25 %", () => {
    const cuts = [35, 80, 200].map((delay) => {
      const made = settled();
      // With the third of six late it cuts, by the average of all six.
      made.tick({ answers: [{ delay }, { delay }, { delay }], load: 0.5 });
      return made.rate;
    });
    assert.equal(cuts[0], 9900);
    assert.ok(cuts[1]! > 8900 && cuts[1]! < 9400, cuts.join(", "));
    assert.equal(cuts[2], 7500);
  });

  it("cuts once in a while, and believes no two answers", () => {
    const made = settled();
    made.tick({ answers: [{ delay: 90 }, { delay: 90 }], load: 0.9 });
    assert.equal(made.rate >= 10_000, true, "two of six are none");
    const branches = made.run(10, { answers: FOUR(90), load: 0.9 });
    const cuts = branches.filter((branch) => branch === "cut").length;
    // At most once in 300 ms, of 2 s.
    assert.ok(cuts >= 4 && cuts <= 7, branches.join(" "));
  });

  it("grows once for each look at the counters, however many answers come", () => {
    const made = settled();
    made.tick({ answers: FOUR(0), load: 0.9 });
    assert.equal(made.rate, 10_400);
    made.tick({ answers: [...FOUR(0), ...FOUR(0)], load: 0.9 });
    assert.equal(made.rate, 10_816);
  });

  it("tells of a tick its last change, with the rate that came of all", () => {
    const made = settled();
    // The first answer grows, the others have no new load.
    const { download } = made.tick({ answers: FOUR(0), load: 0.9 });
    assert.deepEqual([download.branch, download.rate], ["grow", 10_400]);
  });

  it("goes on from a rate that somebody else has set", () => {
    const made = settled();
    made.tick({ answers: FOUR(0), load: 0.9, rate: 5000 });
    assert.equal(made.rate, 5200);
    const idle = settled();
    assert.equal(idle.tick({ rate: 3333 }).download.rate, 3333, "and holds it");
  });

  it("stays within the bounds with every answer, so that it does not have to come back", () => {
    const up = settled({}, 19_900);
    up.run(20, { answers: FOUR(0), load: 0.9 });
    assert.equal(up.rate, BOUNDS.max);
    const down = settled({}, 2100);
    down.run(20, { answers: FOUR(300), load: 0.9 });
    assert.equal(down.rate, BOUNDS.min);
    // The first good answer shows at once.
    const rested = down.run(30, { answers: FOUR(0), load: 0.9 });
    assert.ok(rested.includes("grow") && down.rate > BOUNDS.min);
  });

  it("has no end where the bounds have none", () => {
    const made = settled({}, 10_000, { ...BOUNDS, max: Number.POSITIVE_INFINITY });
    made.run(200, { answers: FOUR(0), load: 0.9 });
    assert.ok(made.rate > 1e6 && Number.isFinite(made.rate));
  });

  it("goes to base without load, by 1 % a second, from both sides", () => {
    for (const start of [8000, 14_000]) {
      const made = settled({ decayRest: CAKE_DEFAULTS.decayRest }, start);
      const before = made.rate;
      const branches = made.run(50, { answers: FOUR(0) });
      const steps = branches.filter((branch) => branch === "decay").length;
      // Ten seconds.
      assert.ok(steps >= 7 && steps <= 10, branches.join(" "));
      const share = made.rate / before;
      assert.ok(start < BOUNDS.base ? share > 1.06 && share < 1.12 : share < 0.94 && share > 0.88, `${share}`);
      made.run(600, { answers: FOUR(0) });
      assert.equal(made.rate, BOUNDS.base);
    }
  });

  it("does not take a clock that is set for a queue", () => {
    const made = settled();
    // 50 minutes, in both directions.
    const { download } = made.tick({ answers: Array.from({ length: 12 }, () => ({ delay: 3e6 })), load: 0.5 });
    assert.equal(download.branch, "hold");
    assert.equal(made.run(5, { answers: FOUR(3e6), load: 0.5 }).includes("cut"), false);
  });

  it("adds what a packet takes to send to its thresholds", () => {
    const slow = cakeThresholds(CAKE_DEFAULTS, "upload", 500);
    const fast = cakeThresholds(CAKE_DEFAULTS, "upload", 1e6);
    assert.deepEqual(fast, { delay: 30_012, grow: 10_012, cut: 60_012 });
    assert.equal(slow.delay - fast.delay, 24_224 - 12);
  });
});
