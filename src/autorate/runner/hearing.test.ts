import assert from "node:assert/strict";
import { test } from "node:test";
import { type Heard, hearing, silenced } from "./hearing.ts";

const PATIENCE = { silence: 1.5, idle: 60 };
const busy: Heard = { now: 100, since: 0, answered: 99.5, active: 99, achieved: { download: 5000, upload: 500 } };

test("a line that is heard runs", () => {
  assert.equal(hearing(busy, PATIENCE), "running");
  assert.equal(hearing({ ...busy, answered: 98.4 }, PATIENCE), "blind");
});

test("silence with traffic is the reflectors' fault, without it the line's", () => {
  const silent = { ...busy, answered: 90 };
  assert.equal(hearing(silent, PATIENCE), "blind");
  assert.equal(hearing({ ...silent, achieved: { download: 3, upload: 4000 } }, PATIENCE), "stalled");
});

test("the first answer is waited for ten seconds", () => {
  const fresh = { ...busy, since: 95, answered: undefined };
  assert.equal(hearing(fresh, PATIENCE), "starting");
  assert.equal(hearing({ ...fresh, since: 90 }, PATIENCE), "blind");
});

test("without traffic nobody is asked after a while, unless that is switched off", () => {
  const quiet = { ...busy, active: 30 };
  assert.equal(hearing(quiet, PATIENCE), "idle");
  assert.equal(hearing(quiet, { ...PATIENCE, idle: 0 }), "running");
});

test("what silence makes of the rates is a setting", () => {
  const bounds = { download: { min: 2, base: 10, max: 20 }, upload: { min: 1, base: 5, max: 9 } };
  const rates = { download: 15, upload: 3 };
  assert.deepEqual(silenced("hold", rates, bounds), rates);
  assert.deepEqual(silenced("base", rates, bounds), { download: 10, upload: 3 });
  assert.deepEqual(silenced("min", rates, bounds), { download: 2, upload: 1 });
});
