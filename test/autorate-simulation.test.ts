/**
 * Every controller in every scenario of the simulated line, with many seeds: what users are promised, as bounds on the median
 * and on the worst. SLUICE_SIMULATION_SEEDS says how many seeds; the figures are told as one table at the end.
 *
 * Bounds are what 200 seeds gave and a quarter more (of a share: of what is missing to 1), so that chance does not break them.
 * One that is broken by a change is a change of what the controller is worth: look at `npm run bench -- autorate-loop`, and
 * at the real queues of `npm run bench -- autorate`, before it is set anew.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { SLUICE_DEFAULTS } from "../src/autorate/controllers/sluice/options.ts";
import { sluice } from "../src/autorate/controllers/sluice/sluice.ts";
import type { RunFigures } from "../src/autorate/figures/figures.ts";
import { joinFigures, type JoinedFigures, type Spread } from "../src/autorate/figures/join.ts";
import type { PhaseName } from "../src/autorate/figures/phases.ts";
import { contest, SCENARIO_BY_NAME } from "../src/autorate/simulation/contest.ts";
import { CONTESTANTS, parseContestant } from "../src/autorate/simulation/contestant.ts";
import { simulate } from "../src/autorate/simulation/run.ts";
import { simulationTable } from "../src/cli/render/simulation.ts";
import type { SimulatedScenario } from "../src/control/autorate/simulate.ts";
import { type Both, DIRECTIONS } from "../src/core/both.ts";

const SEEDS = Number(process.env["SLUICE_SIMULATION_SEEDS"] ?? 40);
assert.ok(Number.isInteger(SEEDS) && SEEDS > 0, "SLUICE_SIMULATION_SEEDS is no count");

/** A figure, and which end is the worse one. */
type Figure = readonly [pick: (figures: JoinedFigures) => Spread | undefined, worse: "high" | "low"];

const p95 = (phase: PhaseName | "loaded"): Figure => [({ phases }) => phases[phase]?.p95, "high"];
const used = (phase: PhaseName): Figure => [({ phases }) => phases[phase]?.used, "low"];

/** Delays are what 95 % of the probes stayed below, over idle, in ms; waits in s; shares of what the line can. */
const FIGURES = {
  steady: p95("steady"),
  drop: p95("drop"),
  low: p95("low"),
  rise: p95("rise"),
  loaded: p95("loaded"),
  felt: p95("idle"),
  standing: [({ phases }) => phases.steady?.p50, "high"],
  steadyUsed: used("steady"),
  lowUsed: used("low"),
  riseUsed: used("rise"),
  settled: [({ settled }) => settled, "high"],
  recovered: [({ recovered }) => recovered, "high"],
  minimum: [({ phases }) => (phases.loaded ?? phases.idle)?.minimumSeconds, "high"],
} satisfies Readonly<Record<string, Figure>>;

/** By figure: a bound on the median, or on the median and on the worst. */
type Bounds = Partial<Record<keyof typeof FIGURES, number | readonly [median: number, worst: number]>>;

/** Of the controller that is the default. `settled` and `recovered` of the plain scenarios are what docs/autorate.md promises. */
const SLUICE: Readonly<Record<string, readonly Bounds[]>> = {
  download: [
    { steady: [25, 30], drop: [166, 220], low: [24, 36], rise: [23, 34], loaded: [25, 31] },
    { steadyUsed: [0.96, 0.96], lowUsed: [0.95, 0.94], riseUsed: [0.91, 0.86] },
    { settled: [2, 4.2], recovered: [3, 4.8], minimum: [0.6, 0.8] },
  ],
  upload: [
    { steady: [23, 28], drop: [577, 919], low: [23, 30], rise: [22, 25], loaded: [24, 28] },
    { steadyUsed: [0.97, 0.97], lowUsed: [0.97, 0.95], riseUsed: [0.92, 0.9] },
    { settled: [2, 3.7], recovered: [3, 3.6], minimum: [1.4, 2.3] },
  ],
  "upload-tcp": [
    { steady: [22, 25], drop: [183, 275], low: [23, 29], rise: [22, 24], loaded: [24, 27] },
    { steadyUsed: [0.97, 0.97], lowUsed: [0.97, 0.96], riseUsed: [0.92, 0.86] },
    { settled: [2, 2.5], recovered: [3, 5.1], minimum: [0.6, 0.9] },
  ],
  // A drop of both at once may take it until the rise to be sure of the one that is measured through the other.
  both: [
    { steady: [38, 47], drop: [339, 434], low: [36, 52], rise: [34, 48], loaded: [40, 49] },
    { steadyUsed: [0.96, 0.96], lowUsed: [0.95, 0.89], riseUsed: [0.91, 0.87] },
    { settled: 2, recovered: [3.2, 4.5], minimum: [0.6, 0.8] },
  ],
  // Each second another capacity: it never settles, nor can it.
  sawtooth: [
    { steady: [25, 33], drop: [89, 102], rise: [8, 13], loaded: [62, 78] },
    { steadyUsed: [0.96, 0.95], riseUsed: [0.6, 0.57], minimum: [1.2, 2.4] },
  ],
  outage: [
    { steady: [25, 33], drop: [1211, 1254], rise: [25, 33], loaded: [27, 34] },
    { steadyUsed: [0.96, 0.96], riseUsed: [0.96, 0.86] },
    { settled: [2, 6.1], recovered: [2, 6.6], minimum: [0.5, 2.2] },
  ],
  "idle-spikes": [{ felt: [125, 126], minimum: [0, 0] }],
  "reflectors-go": [
    { steady: [25, 30], drop: [164, 225], low: [29, 45], rise: [33, 316], loaded: [30, 158] },
    { steadyUsed: [0.96, 0.95], lowUsed: [0.94, 0.93], riseUsed: [0.89, 0.78] },
    { settled: [2, 4.9], recovered: [3.1, 4.9], minimum: [0.7, 0.9] },
  ],
  // Whatever it knew when the last one fell silent: no queue that stands.
  "all-silent": [{ steady: [16, 28], standing: [3, 6], steadyUsed: [0.9, 0.69], minimum: [0, 0] }],
  "half-lying": [
    { steady: [37, 57], drop: [166, 249], low: [35, 71], rise: [30, 51], loaded: [37, 47] },
    { steadyUsed: [0.95, 0.87], lowUsed: [0.94, 0.81], riseUsed: [0.9, 0.77] },
    { settled: [2, 13], recovered: [3.3, 7.2], minimum: [0.7, 1.3] },
  ],
  // What is felt below an upload that fills the line.
  asymmetric: [{ felt: [24, 28], minimum: [0, 0] }],
  "load-returns": [{ steady: [24, 31], loaded: [26, 33], steadyUsed: [0.96, 0.96], minimum: [0.7, 0.9] }],
  slow: [
    { steady: [24, 33], drop: [293, 418], low: [32, 62], rise: [30, 92], loaded: [31, 74] },
    { steadyUsed: [0.98, 0.97], lowUsed: [0.97, 0.96], riseUsed: [0.95, 0.92] },
    { settled: 2, recovered: [2.5, 4], minimum: [0, 0] },
  ],
};

/** Of the rules of others, which are what they are: that they stay it. */
const EWMA: Readonly<Record<string, readonly Bounds[]>> = {
  download: [
    { steady: [57, 69], low: [73, 84], steadyUsed: 0.88, riseUsed: 0.71, settled: [1.8, 2.2], recovered: 6.2 },
  ],
  upload: [{ steady: [63, 88], low: 1601, steadyUsed: 0.88, riseUsed: 0.69, settled: [10.1, 13.3], recovered: 7.6 }],
  "upload-tcp": [{ steady: [63, 86], low: [183, 218], steadyUsed: 0.88, riseUsed: 0.7, settled: 2.5, recovered: 6.8 }],
  both: [{ steady: [88, 126], low: [208, 270], steadyUsed: 0.88, riseUsed: 0.71, settled: 2.6, recovered: 6.3 }],
  sawtooth: [{ steady: [59, 75], drop: [117, 150], loaded: [91, 116], steadyUsed: 0.88, riseUsed: 0.5 }],
  outage: [{ steady: [57, 67], rise: [53, 67], steadyUsed: 0.88, riseUsed: 0.77, settled: [1.5, 2.3], recovered: 10 }],
  "reflectors-go": [
    { steady: [57, 67], low: [72, 82], steadyUsed: 0.88, riseUsed: 0.72, settled: 1.8, recovered: 5.6 },
  ],
  "half-lying": [{ steady: [61, 72], low: [73, 82], steadyUsed: 0.88, riseUsed: 0.7, settled: 1.8, recovered: 6.5 }],
  "load-returns": [{ steady: [57, 67], loaded: [59, 72], steadyUsed: 0.88 }],
  slow: [{ steady: [60, 90], steadyUsed: 0.88, lowUsed: 0.78, riseUsed: 0.77, settled: [4.8, 7.6], recovered: 4.6 }],
};
const CAKE: Readonly<Record<string, readonly Bounds[]>> = {
  download: [
    { steady: [63, 71], low: [76, 87], steadyUsed: 0.92, riseUsed: 0.81, settled: [2.1, 2.5], recovered: 6.2 },
  ],
  upload: [
    { steady: [130, 146], steadyUsed: 0.76, lowUsed: 0.76, riseUsed: 0.67, settled: [4.5, 7.5], recovered: 7.1 },
  ],
  "upload-tcp": [{ steady: [90, 104], low: [137, 161], steadyUsed: 0.85, riseUsed: 0.74, settled: 2.4, recovered: 7 }],
  both: [{ steady: [115, 147], low: [157, 197], steadyUsed: 0.92, riseUsed: 0.8, settled: 2.5, recovered: 6.2 }],
  sawtooth: [{ steady: [64, 75], drop: [120, 148], loaded: [99, 116], steadyUsed: 0.92, riseUsed: 0.52 }],
  outage: [{ steady: [63, 73], rise: [63, 71], steadyUsed: 0.92, riseUsed: 0.92, settled: 1.8, recovered: 2.1 }],
  "reflectors-go": [
    { steady: [64, 71], low: [80, 92], steadyUsed: 0.92, riseUsed: 0.7, settled: 2.2, recovered: 10.2 },
  ],
  "load-returns": [{ steady: [63, 71], loaded: [65, 73], steadyUsed: 0.92 }],
  slow: [{ steady: [179, 206], low: [204, 244], steadyUsed: 0.73, lowUsed: 0.7, riseUsed: 0.73, settled: 2.8 }],
};
const WANTED: Readonly<Record<string, (scenario: string) => readonly Bounds[]>> = {
  sluice: (scenario) => SLUICE[scenario] ?? assert.fail(`nothing is wanted of ${scenario}`),
  ewma: (scenario) => EWMA[scenario] ?? [],
  cake: (scenario) => CAKE[scenario] ?? [],
};

/** What is not within its bounds. */
function broken(bounds: Bounds, figures: JoinedFigures): string[] {
  return Object.entries(bounds).flatMap(([name, bound]) => {
    const [pick, worse] = FIGURES[name as keyof typeof FIGURES] as Figure;
    const spread = pick(figures);
    if (!spread || Number.isNaN(spread.median)) return [`${name} is not there`];
    const limits = typeof bound === "number" ? [bound] : bound;
    const pairs = [["median", spread.median, limits[0]] as const, ["worst", spread.worst, limits[1]] as const];
    return pairs.flatMap(([which, value, limit]) => {
      const fine = limit === undefined || (worse === "high" ? value <= limit : value >= limit);
      return fine ? [] : [`${name}, ${which}: ${value.toFixed(3)}, wanted ${worse === "high" ? "<=" : ">="} ${limit}`];
    });
  });
}

describe(`controllers on simulated lines, ${SEEDS} seeds each`, () => {
  /** By scenario and controller: the figures of each seed, in both directions. */
  const runs = new Map<string, Map<string, readonly Both<RunFigures>[]>>();
  const of = (scenario: string, controller: string): readonly RunFigures[] => {
    const { watched } = SCENARIO_BY_NAME.get(scenario)!(1);
    return runs
      .get(scenario)!
      .get(controller)!
      .map((both) => both[watched]);
  };

  before(async () => {
    const contestants = CONTESTANTS.map((label) => {
      const contestant = parseContestant(label);
      return "reason" in contestant ? assert.fail(contestant.reason) : contestant;
    });
    for (const [scenario, make] of SCENARIO_BY_NAME) {
      const all = new Map<string, readonly Both<RunFigures>[]>();
      for (const contestant of contestants) {
        const figures: Both<RunFigures>[] = [];
        for (let seed = 1; seed <= SEEDS; seed += 1) figures.push(await contest(make, seed, contestant));
        all.set(contestant.label, figures);
      }
      runs.set(scenario, all);
    }
  });

  for (const [controller, wantedIn] of Object.entries(WANTED))
    for (const scenario of SCENARIO_BY_NAME.keys()) {
      const wanted = wantedIn(scenario);
      if (wanted.length === 0) continue;
      it(`${controller}, ${scenario}: within its bounds`, () => {
        const figures = joinFigures(of(scenario, controller));
        assert.deepEqual(
          wanted.flatMap((bounds) => broken(bounds, figures)),
          [],
        );
      });
    }

  it("without control the buffer is full and the line used, and delay never settles", () => {
    for (const scenario of ["download", "upload", "upload-tcp", "both", "reflectors-go", "half-lying", "slow"]) {
      const { phases, settled, recovered } = joinFigures(of(scenario, "none"));
      assert.equal(settled.median, Infinity, scenario);
      assert.ok(phases.steady!.p50.median > 200 && phases.low!.p50.median > phases.steady!.p50.median, scenario);
      assert.ok(phases.steady!.used.worst > 0.99 && recovered.worst < 1.5, scenario);
    }
  });

  /** Scenarios in which sluice is worse than ewma in more than every tenth seed. */
  function worse(pick: (figures: RunFigures) => number | undefined, scenarios: readonly string[]): string[] {
    return scenarios.flatMap((scenario) => {
      const theirs = of(scenario, "ewma");
      const lost = of(scenario, "sluice").filter((ours, seed) => pick(ours)! > pick(theirs[seed]!)!);
      return lost.length > SEEDS / 10 ? [`${scenario}: in ${lost.length} of ${SEEDS} seeds`] : [];
    });
  }
  const loaded = [...SCENARIO_BY_NAME].flatMap(([name, make]) => {
    const { watched, loads } = make(1);
    return loads[watched].length > 0 ? [name] : [];
  });

  it("sluice has no more delay than ewma in the same seeds, steady and low", () => {
    assert.ok(loaded.length >= 10);
    assert.deepEqual(
      worse(({ phases }) => phases.steady!.p95, loaded),
      [],
    );
    const low = loaded.filter((scenario) => of(scenario, "sluice")[0]!.phases.low);
    assert.ok(low.length >= 6);
    assert.deepEqual(
      worse(({ phases }) => phases.low!.p95, low),
      [],
    );
  });

  it("sluice carries at least as much as ewma in the same seeds, steady", () => {
    // Who is told nothing any more and happens to have a full buffer carries all; there the medians must do.
    const scenarios = loaded.filter((scenario) => scenario !== "all-silent");
    assert.deepEqual(
      worse(({ phases }) => -phases.steady!.throughput, scenarios),
      [],
    );
    const median = (controller: string) => joinFigures(of("all-silent", controller)).phases.steady!.throughput.median;
    assert.ok(median("sluice") >= median("ewma"));
  });

  it("sluice is never at the minimum on an idle line with spikes, with any seed and in any direction", () => {
    for (const [seed, figures] of runs.get("idle-spikes")!.get("sluice")!.entries())
      for (const d of DIRECTIONS) assert.equal(figures[d].phases.idle!.minimumTicks, 0, `seed ${seed + 1}, ${d}`);
  });

  it("sluice leaves a download alone while it is the upload that fills the line", () => {
    const make = SCENARIO_BY_NAME.get("asymmetric")!;
    for (let seed = 1; seed <= Math.min(SEEDS, 10); seed += 1) {
      const { download, upload } = simulate(make(seed), sluice(SLUICE_DEFAULTS));
      const down = Array.from(download.rates.value);
      assert.equal(Math.min(...down), down[0], `seed ${seed}`);
      assert.ok(Math.min(...Array.from(upload.rates.value)) < 2200, "the upload follows");
    }
  });

  it("all figures", (t) => {
    const all = [...runs].map(([name, controllers]): SimulatedScenario => ({
      name,
      direction: SCENARIO_BY_NAME.get(name)!(1).watched,
      controllers: [...controllers.keys()].map((label) => ({ label, figures: joinFigures(of(name, label)) })),
    }));
    const lines = simulationTable(all, { write: () => undefined });
    assert.equal(lines.length, 1 + SCENARIO_BY_NAME.size * CONTESTANTS.length);
    for (const line of lines) t.diagnostic(line);
  });
});
