import assert from "node:assert/strict";
import { test } from "node:test";
import { phasesOf } from "./phases.ts";

const flat = (phases: ReturnType<typeof phasesOf>): string =>
  phases.map((p) => `${p.name} ${p.from}..${p.to}`).join(", ");

test("a drop and a rise under load cut a run into six", () => {
  const capacity = { at: [0, 30, 50], value: [20_000, 8000, 20_000] };
  const phases = phasesOf({ capacity, loads: [{ from: 5, to: 70 }], end: 72 });
  assert.equal(
    flat(phases),
    "idle 0..5, start 5..10, steady 10..30, drop 30..32, low 32..50, rise 50..70, idle 70..72",
  );
});

test("without load all of it is idle, whatever the capacity does", () => {
  const capacity = { at: [0, 30], value: [20_000, 8000] };
  assert.equal(flat(phasesOf({ capacity, loads: [], end: 70 })), "idle 0..70");
});

test("an outage shorter than a drop is cut at its end; a load that returns starts anew", () => {
  const capacity = { at: [0, 20, 21], value: [20, 0, 20] };
  const loads = [
    { from: 0, to: 40 },
    { from: 50, to: 53 },
  ];
  assert.equal(
    flat(phasesOf({ capacity, loads, end: 60 })),
    "start 0..5, steady 5..20, drop 20..21, rise 21..40, idle 40..50, start 50..53, idle 53..60",
  );
});

test("a step down during a low phase is another drop; an entry without a change is none", () => {
  const capacity = { at: [0, 10, 20, 30], value: [20, 10, 10, 5] };
  assert.equal(
    flat(phasesOf({ capacity, loads: [{ from: 0, to: 40 }], end: 40 })),
    "start 0..5, steady 5..10, drop 10..12, low 12..30, drop 30..32, low 32..40",
  );
});

test("a change soon after the load begins ends its start", () => {
  const capacity = { at: [0, 3], value: [20, 10] };
  assert.equal(flat(phasesOf({ capacity, loads: [{ from: 0, to: 10 }], end: 10 })), "start 0..3, drop 3..5, low 5..10");
});
