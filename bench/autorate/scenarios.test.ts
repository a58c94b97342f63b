import assert from "node:assert/strict";
import { test } from "node:test";
import { phasesOf } from "../../src/autorate/figures/phases.ts";
import { both, type Direction } from "../../src/core/both.ts";
import { NOMINAL, type Play, type Scenario, SCENARIOS } from "./scenarios.ts";

const all: readonly Scenario[] = Object.values(SCENARIOS);
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

/** What a direction is left with. */
const last = ({ turns }: Play, direction: Direction): unknown =>
  turns.findLast((turn) => turn.direction === direction)?.capacity ?? NOMINAL[direction];

test("a seed gives the same play again, another seed another one", () => {
  for (const scenario of all) {
    assert.deepEqual(scenario.play(3), scenario.play(3));
    assert.notDeepEqual(scenario.play(3), scenario.play(4));
  }
});

test("turns stand by time and end with the line as it was", () => {
  for (const scenario of all)
    for (const seed of SEEDS) {
      const play = scenario.play(seed);
      const times = play.turns.map(({ at }) => at);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.ok(times.every((time) => time > 0 && time < play.seconds));
      assert.deepEqual(
        both((direction) => last(play, direction)),
        NOMINAL,
      );
      assert.equal(play.seconds, scenario.seconds);
    }
});

test("a fall has all phases", () => {
  const { turns, loads, seconds } = SCENARIOS.download.play(1);
  const capacity = { at: [0, ...turns.map(({ at }) => at)], value: [20_000, ...turns.map((t) => Number(t.capacity))] };
  const names = phasesOf({ capacity, loads, end: seconds }).map(({ name }) => name);
  assert.deepEqual(names, ["idle", "start", "steady", "drop", "low", "rise"]);
});

test("spikes are single stops and bouts, in both directions", () => {
  const { turns, loads } = SCENARIOS.spikes.play(1);
  assert.deepEqual(loads, []);
  const stops = turns.filter(({ capacity }) => capacity === "stopped-idle");
  assert.equal(stops.length * 2, turns.length);
  const apart = stops.slice(1).map(({ at }, i) => at - stops[i]!.at);
  assert.ok(apart.some((gap) => gap < 0.2) && apart.some((gap) => gap > 2));
  assert.deepEqual([...new Set(stops.map(({ direction }) => direction))].toSorted(), ["download", "upload"]);
});
