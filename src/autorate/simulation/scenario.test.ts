import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DIRECTIONS } from "../../core/both.ts";
import { phasesOf } from "../figures/phases.ts";
import { type MakeScenario, type Scenario, SCENARIOS } from "./scenario.ts";

const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);
const NAMES = SCENARIOS.map((make) => make(0).name);
const named = (name: string): MakeScenario => SCENARIOS[NAMES.indexOf(name)]!;

/** All of it that is data, and how its chances go on. */
function plain({ random, ...data }: Scenario): unknown {
  return { ...data, next: [random(), random(), random()] };
}

describe("scenarios", () => {
  it("have names of their own", () => {
    assert.equal(new Set(NAMES).size, NAMES.length);
  });

  for (const make of SCENARIOS)
    it(`${make(0).name}: the same seed gives the same, another another`, () => {
      assert.deepEqual(plain(make(5)), plain(make(5)));
      assert.notDeepEqual(plain(make(5)), plain(make(6)));
      const [one, other] = [make(5), make(6)];
      assert.notDeepEqual(one.capacity, other.capacity);
      assert.notDeepEqual(one.reflectors, other.reflectors);
      assert.notEqual(one.buffer, other.buffer);
    });

  it("make sense with any seed", () => {
    for (const make of SCENARIOS)
      for (const seed of SEEDS) {
        const { name, seconds, bounds, capacity, loads, reflectors, jitter, buffer } = make(seed);
        const where = `${name}, seed ${seed}`;
        assert.ok(reflectors.length >= 5 && buffer >= 0.3 && buffer <= 0.8 && jitter > 0, where);
        assert.equal(new Set(reflectors.map(({ address }) => address)).size, reflectors.length);
        for (const { base, offset } of reflectors)
          assert.ok(base.download > 0 && base.upload > 0 && Math.abs(offset) <= 5000, where);
        for (const d of DIRECTIONS) {
          const times = capacity[d].map(([at]) => at);
          assert.deepEqual(
            times,
            times.toSorted((a, b) => a - b),
            where,
          );
          assert.ok(times[0] === 0 && times.at(-1)! < seconds, where);
          assert.ok(capacity[d][0]![1] > bounds[d].min && capacity[d][0]![1] < bounds[d].max, where);
          assert.ok(
            capacity[d].every(([, rate]) => rate === 0 || rate > bounds[d].min),
            `${where}: below the minimum`,
          );
          for (const { from, to, kind, rate } of loads[d])
            assert.ok(from >= 0 && to > from && to <= seconds && (kind === "tcp" || rate! > 0), where);
        }
      }
  });

  it("are about a direction that has something to tell", () => {
    for (const make of SCENARIOS) {
      const { name, watched, capacity, loads, seconds } = make(1);
      const course = { at: capacity[watched].map(([at]) => at), value: capacity[watched].map(([, value]) => value) };
      const names = phasesOf({ capacity: course, loads: loads[watched], end: seconds }).map((phase) => phase.name);
      assert.ok(names.includes("idle"), name);
      if (!["idle-spikes", "asymmetric"].includes(name))
        assert.ok(names.includes("steady"), `${name}: ${names.join()}`);
    }
  });

  it("have what their names say", () => {
    for (const seed of SEEDS) {
      const spikes = named("idle-spikes")(seed);
      assert.deepEqual([spikes.loads.download, spikes.loads.upload, spikes.spikes.length], [[], [], 20]);
      const going = named("reflectors-go")(seed).reflectors.map(({ silentFrom }) => silentFrom!);
      assert.ok(going.every((at, i) => i === 0 || at > going[i - 1]!) && going[0]! < going.at(-1)!);
      assert.ok(named("all-silent")(seed).reflectors.every(({ silentFrom }) => silentFrom === 25));
      const lying = named("half-lying")(seed).reflectors;
      assert.equal(lying.filter(({ lies }) => lies).length, lying.length / 2);
      const out = named("outage")(seed).capacity;
      for (const d of DIRECTIONS) {
        const [, stop, go] = out[d];
        assert.equal(stop![1], 0);
        assert.ok(Math.abs(go![0] - stop![0] - 1) < 1e-9 && go![1] === out[d][0]![1]);
      }
    }
  });
});
