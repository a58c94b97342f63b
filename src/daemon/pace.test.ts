import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CALM, changed, contested, due, gapAfter, looked, looking, type Pace } from "./pace.ts";

test("a single change is looked at after a moment of quiet, a stream of them after two seconds at most", () => {
  assert.equal(due(CALM), undefined);
  const one = changed(CALM, 1000);
  assert.equal(due(one), 1300);
  let many = CALM;
  for (let now = 1000; now <= 5000; now += 50) many = changed(many, now);
  assert.equal(due(many), 3000);
});

test("whoever fights is answered more and more seldom, and after peace at once again", () => {
  let pace: Pace = CALM;
  let now = 0;
  const gaps: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    pace = changed(pace, now);
    const at = due(pace)!;
    gaps.push(at - now);
    now = at;
    pace = looked(looking(pace), now, true);
  }
  assert.deepEqual(gaps, [300, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assert.equal(contested(pace), 60);
  now += 300_000;
  pace = looked(looking(changed(pace, now)), now, false);
  assert.equal(contested(pace), undefined);
  assert.equal(due(changed(pace, now)), now + 300);
});

test("a change is never looked at before it came, nor forgotten", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ wait: fc.integer({ min: 0, max: 5000 }), repaired: fc.boolean() })), (steps) => {
      let pace: Pace = CALM;
      let now = 0;
      for (const { wait, repaired } of steps) {
        now += wait;
        pace = changed(pace, now);
        const at = due(pace);
        assert.ok(at !== undefined && at >= now && at <= now + Math.max(2000, gapAfter(pace.repairs)));
        now = at;
        pace = looked(looking(pace), now, repaired);
        assert.equal(due(pace), undefined);
        // What changes while somebody looks is not forgotten.
        assert.notEqual(due(looked(changed(looking(pace), now), now, repaired)), undefined);
      }
    }),
  );
});
