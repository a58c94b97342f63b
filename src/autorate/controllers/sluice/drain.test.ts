import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BOUNDS, countsOf, pointsOf, SluiceLab, viewOf } from "../../../../test/helpers/sluice-lab.ts";
import { cut, draining } from "./drain.ts";
import { SLUICE_DEFAULTS } from "./options.ts";
import type { Drain, Side } from "./side.ts";

const NOW = 100;
const { headroom, drainFloor, holdFirst, holdMost } = SLUICE_DEFAULTS;
const within = (actual: number, low: number, high: number): void =>
  assert.ok(actual >= low && actual <= high, `${actual} is not within ${low} and ${high}`);

/** Cuts to a capacity while there is so much delay, ms. */
const cutAt = (capacity: number, delay: number, side: Partial<Side> = {}) =>
  cut(viewOf({ side: { points: pointsOf(NOW - 0.5, NOW, () => delay), ...side } }), capacity, "cut", 0);

describe("a cut", () => {
  it("goes below the capacity, and the deeper the more delay there is, to a floor", () => {
    const rates = [20, 50, 100, 200, 1000, 5000].map((delay) => cutAt(6000, delay).verdict.rate);
    assert.ok(rates[0]! < 6000 * (1 - headroom));
    rates.slice(1).forEach((rate, i) => assert.ok(rate <= rates[i]!, rates.join(", ")));
    within(rates.at(-1)!, 0.99 * drainFloor * 6000 * (1 - headroom), drainFloor * 6000);
  });

  it("waits for as long as the queue takes to go at that rate, and tells what it takes the line for", () => {
    for (const delay of [50, 300, 2000]) {
      const { side, verdict } = cutAt(6000, delay);
      const needed = (delay / 1000) * (6000 / (6000 - verdict.rate));
      within(side.drain!.until - NOW, needed, needed + 1.5);
      assert.deepEqual([verdict.capacity, side.capacity, side.drain!.since], [6000, 6000, NOW]);
    }
  });

  it("waits only for the answers where no queue is, also when no room is kept", () => {
    const points = pointsOf(NOW - 0.5, NOW, () => 0);
    const { side } = cut(viewOf({ side: { points }, options: { headroom: 0 } }), 6000, "met", 0);
    within(side.drain!.until - NOW, 0.1, 1);
  });

  it("takes no line for less than the minimum", () => {
    const { side, verdict } = cutAt(500, 100);
    assert.equal(side.capacity, BOUNDS.min);
    assert.ok(verdict.rate > 0);
  });

  it("rests longer each time that it finds the same, and as at first when it finds another", () => {
    let side: Partial<Side> = {};
    const holds: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      ({ side } = cutAt(6000 * (1 + 0.01 * (i % 2)), 50, side));
      holds.push(side.hold!);
    }
    assert.equal(holds[0], holdFirst);
    holds.slice(1).forEach((hold, i) => assert.ok(hold >= holds[i]!));
    assert.equal(holds.at(-1), holdMost);
    assert.equal(cutAt(4000, 50, side).side.hold, holdFirst);
  });

  it("begins growth anew", () => {
    const { side } = cutAt(6000, 50, { steps: 7, beyond: 3, expected: 0.02, lateSince: 99 });
    assert.deepEqual([side.steps, side.beyond, side.expected, side.lateSince], [0, 0, 0, undefined]);
  });

  it("remembers from where it came, over all that follow each other", () => {
    const first = cutAt(6000, 100).side;
    assert.equal(first.drain!.from, BOUNDS.base);
    const again = cut(viewOf({ rate: 5000, side: { ...first, points: [] } }), 4000, "cut again", 0).side;
    assert.equal(again.drain!.from, BOUNDS.base);
  });

  it("goes by the age of what is not back when there is nothing else", () => {
    const view = viewOf({ overdue: 1500, side: { points: [] } });
    assert.equal(cut(view, 6000, "cut unheard", 0).side.drain!.delay, 1500);
  });
});

/** In the middle of a drain that began so long ago (s), with these delays since. */
function drainingSince(ago: number, delay: (sent: number) => number, changes: Partial<Drain> = {}, rate = 5000) {
  const since = NOW - ago;
  const drain: Drain = { since, until: since + 0.4, delay: 100, from: 10_000, vain: 0, ...changes };
  const counts = countsOf(since, NOW, rate, rate, countsOf(NOW - 3, since, 9900, 10_000));
  const points = pointsOf(NOW - 1.2, NOW - 0.05, delay).filter(({ received }) => received <= NOW);
  const side = { points, counts, drain, capacity: 6000 };
  return { view: viewOf({ direction: "upload", rate, side, fresh: points.slice(-2) }), drain };
}

describe("while a queue drains", () => {
  it("is at the capacity again, less what is left free, when two answers of after the cut are low", () => {
    const { view, drain } = drainingSince(0.3, (sent) => (sent < NOW - 0.3 ? 100 : 2));
    const { side, verdict } = draining(view, drain);
    assert.equal(verdict.branch, "drained");
    assert.equal(verdict.rate, 6000 * (1 - headroom));
    assert.deepEqual([side.drain, side.holdUntil], [undefined, NOW + side.hold]);
    assert.deepEqual(side.past, [{ at: NOW, capacity: 6000 }]);
  });

  it("waits for two, and for those of after the cut", () => {
    const one = drainingSince(0.3, (sent) => (sent > NOW - 0.13 ? 2 : 100));
    assert.equal(draining(one.view, one.drain).verdict.branch, "drain");
    const before = drainingSince(0.05, () => 2);
    assert.equal(draining(before.view, before.drain).verdict.branch, "drain");
    assert.equal(draining(before.view, before.drain).verdict.rate, 5000);
  });

  it("judges nothing anew as long as the queue may still be there", () => {
    const { view, drain } = drainingSince(0.3, (sent) => 200 - 167 * (sent - NOW + 0.3), { until: NOW + 0.2 });
    assert.equal(draining(view, drain).verdict.rate, 5000);
    assert.equal(draining(view, drain).verdict.branch, "drain");
  });

  it("waits longer while nothing of after the cut has come back", () => {
    const { view, drain } = drainingSince(0.9, () => 900, { until: NOW - 0.1, delay: 900 });
    assert.ok(view.side.points.filter(({ sent }) => sent >= drain.since).length < 2, "as it was meant");
    assert.equal(draining(view, drain).verdict.branch, "drain");
  });

  it("takes the line for less when the queue drains more slowly than it ought to", () => {
    // Sent are 5 Mbit/s: at 6 Mbit/s it would drain by 0.17 s in a second.
    const { view, drain } = drainingSince(0.5, (sent) => 200 - 120 * (sent - NOW + 0.5));
    const { side, verdict } = draining(view, drain);
    assert.equal(verdict.branch, "cut again");
    within(side.capacity!, 5500, 5800);
    assert.ok(verdict.rate < 5500);
    assert.equal(side.drain!.vain, 0);
  });

  it("cuts twice for a queue that stands as it is, and then takes it for somebody else's", () => {
    const { view, drain } = drainingSince(0.5, () => 200);
    const first = draining(view, drain);
    assert.equal(first.verdict.branch, "cut again");
    assert.equal(first.side.drain!.vain, 1);
    const last = draining(view, { ...drain, vain: 2 });
    assert.equal(last.verdict.branch, "foreign");
    assert.equal(last.verdict.rate, Math.max(view.side.capacity!, drain.from));
    assert.equal(last.side.drain, undefined);
  });

  it("takes the line for less when the queue goes on growing, as it does when the line falls again", () => {
    // 5 Mbit/s and a slope of 0.6.
    const { view, drain } = drainingSince(0.5, (sent) => 100 + 600 * Math.max(0, sent - NOW + 0.5));
    const { side, verdict } = draining(view, drain);
    assert.equal(verdict.branch, "cut again");
    within(side.capacity!, 3000, 3300);
  });

  it("takes the line for more when an upload's queue drains faster than it ought to", () => {
    // 5 Mbit/s and a slope of -0.375: 8 Mbit/s.
    const { view, drain } = drainingSince(0.5, (sent) => 300 - 375 * Math.max(0, sent - NOW + 0.5), { until: NOW + 1 });
    const { side, verdict } = draining(view, drain);
    assert.equal(verdict.branch, "drain");
    assert.equal(verdict.rate, 5000, "the queue shall still go");
    within(side.capacity!, 7600, 8400);
  });

  it("takes it for no more than where it came from", () => {
    const { view, drain } = drainingSince(0.5, (sent) => 600 - 850 * Math.max(0, sent - NOW + 0.5), {
      until: NOW + 1,
      from: 9000,
    });
    within(draining(view, drain).side.capacity!, 6000, 9000);
  });

  it("goes on when there is clearly less after the time that it ought to take", () => {
    const { view, drain } = drainingSince(1, () => 25, { until: NOW - 0.1, delay: 200 });
    const { side, verdict } = draining(view, drain);
    assert.deepEqual([verdict.branch, verdict.rate], ["drain", 5000]);
    assert.ok(side.drain!.until > NOW && side.drain!.delay < 100);
  });

  it("cuts in vain only so often, then takes the queue for somebody else's", () => {
    const branches: string[] = [];
    let vain = 0;
    for (; vain < 20; vain += 1) {
      const { view, drain } = drainingSince(1, () => 25, { until: NOW - 0.1, delay: 25, vain });
      const { side, verdict } = draining(view, drain);
      branches.push(verdict.branch);
      if (verdict.branch === "foreign") {
        within(verdict.rate, 0.5 * drain.from, drain.from);
        assert.ok(side.foreignUntil > NOW && side.holdUntil >= side.foreignUntil && side.drain === undefined);
        break;
      }
      assert.equal(side.drain!.vain, vain + 1);
      assert.ok(side.capacity! < 6000);
    }
    within(branches.length, 2, 6);
    assert.ok(branches.slice(0, -1).every((branch) => branch === "cut in vain"));
  });

  it("does not cut below the minimum, and says that it is too much", () => {
    const { view, drain } = drainingSince(1, () => 25, { until: NOW - 0.1, delay: 25 }, BOUNDS.min);
    const { side, verdict } = draining(view, drain);
    assert.deepEqual([verdict.branch, verdict.rate], ["drain", BOUNDS.min]);
    assert.match(verdict.blocked!, /minimum/);
    assert.ok(side.drain!.until > NOW);
  });

  it("stays as it is while nobody answers", () => {
    const { view, drain } = drainingSince(5, () => 0, { until: NOW - 3 });
    const silent = viewOf({ rate: 5000, side: { ...view.side, points: [] } });
    const { side, verdict } = draining(silent, drain);
    assert.deepEqual([verdict.branch, verdict.rate, verdict.blocked], ["drain", 5000, "no reflector answers"]);
    assert.ok(side.drain);
  });
});

describe("a queue from its beginning to its end", () => {
  for (const direction of ["download", "upload"] as const)
    it(`${direction}: is gone soon, and the capacity is known`, () => {
      const lab = new SluiceLab(direction, 10_000);
      lab.run(2, { load: 0.7 });
      lab.rate = 10_000;
      const branches = lab.runOver(4000, 2.5);
      assert.ok(branches.includes("drained"), branches.join(" "));
      within(lab.side.capacity!, 3600, 4200);
      assert.ok(lab.queue < 0.03, `${lab.queue} s wait`);
      // It may look for more already.
      within(lab.rate, 3500, 4800);
      assert.ok(lab.side.past.length >= 1);
    });

  it("forgets capacities of long ago, and keeps those few that differ", () => {
    const lab = new SluiceLab("upload", 10_000);
    let most = 0;
    for (let i = 0; i < 40; i += 1) {
      lab.runOver(4000 + 3000 * (i % 3), 4);
      most = Math.max(most, lab.side.past.length);
      assert.ok(lab.side.past.every(({ at }) => at > lab.now - 120));
    }
    within(most, 2, 15);
  });
});
