import assert from "node:assert/strict";
import { test } from "node:test";
import { planSimulation, simulateLines } from "./simulate.ts";

test("scenarios come in their own order, controllers in that of the caller and once", () => {
  const order = { controllers: ["sluice", "none", "sluice"], scenarios: ["slow", "upload"], seeds: 1 };
  const { scenarios, contestants } = planSimulation(order);
  assert.deepEqual(scenarios, ["upload", "slow"]);
  assert.deepEqual(
    contestants.map(({ label }) => label),
    ["sluice", "none"],
  );
});

test("nothing named is everything", () => {
  const { scenarios, contestants } = planSimulation({ controllers: [], scenarios: [], seeds: 1 });
  assert.ok(scenarios.length > 10);
  assert.equal(contestants.length, 4);
});

test("an interrupt ends it between two runs", async () => {
  const simulation = planSimulation({ controllers: ["none"], scenarios: ["download", "upload", "slow"], seeds: 2 });
  const controller = new AbortController();
  const seen: string[] = [];
  for await (const { name } of simulateLines(simulation, controller.signal)) {
    seen.push(name);
    controller.abort();
  }
  assert.deepEqual(seen, ["download"]);
});
