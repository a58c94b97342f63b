import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Direction } from "../../../core/both.ts";
import { BOUNDS, countsOf, pointsOf, viewOf } from "../../../../test/helpers/sluice-lab.ts";
import { capacityNow, capacityShown, delayNow } from "./estimate.ts";
import type { Point } from "./evidence.ts";
import type { Drain } from "./side.ts";

const NOW = 100;
const near = (actual: number | undefined, expected: number, share: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) <= share, `${actual} is not ${expected}`);

/** Answers of the last second: none late, then a queue that grows by a slope since `since`. */
const growing = (slope: number, since = NOW - 0.4): Point[] =>
  pointsOf(NOW - 1, NOW, (sent) => Math.max(0, 1000 * slope * (sent - since))).filter(
    ({ received }) => received <= NOW,
  );

describe("the capacity when a queue shows", () => {
  it("is what was sent by 1 + slope, for an upload", () => {
    for (const slope of [0.15, 0.5, 1, 3]) {
      const sent = 9800;
      const side = { points: growing(slope, NOW - 0.2 - 0.2 * slope), counts: countsOf(NOW - 2, NOW, sent, 10_000) };
      near(capacityNow(viewOf({ direction: "upload", side })), sent / (1 + slope), 0.02);
    }
  });

  it("is what comes through, for a download that its rate does not limit any more", () => {
    const counts = countsOf(NOW - 0.3, NOW, 4000, 10_000, countsOf(NOW - 2, NOW - 0.3, 9900, 10_000));
    near(capacityNow(viewOf({ side: { points: growing(1.5), counts } })), 4000, 0.01);
  });

  it("is what comes through for an upload that waits for its answers", () => {
    const counts = countsOf(NOW - 0.3, NOW, 5000, 10_000, countsOf(NOW - 2, NOW - 0.3, 9900, 10_000));
    near(capacityNow(viewOf({ direction: "upload", side: { points: growing(1), counts } })), 5000, 0.01);
  });

  it("is never more than what is sent for a queue that seems to shrink", () => {
    const points = pointsOf(NOW - 0.5, NOW, (sent) => 90 - 100 * (sent - NOW + 0.5));
    for (const direction of ["download", "upload"] as const) {
      const capacity = capacityNow(
        viewOf({ direction, side: { points, counts: countsOf(NOW - 2, NOW, 9900, 10_000) } }),
      );
      assert.ok(capacity <= 9900 + 1e-6, `${direction}: ${capacity}`);
    }
  });

  it("is clearly less than what is sent when an upload's queue is full and grows no more", () => {
    const points = pointsOf(NOW - 1, NOW, () => 600);
    const capacity = capacityNow(
      viewOf({ direction: "upload", side: { points, counts: countsOf(NOW - 2, NOW, 9900, 10_000) } }),
    );
    assert.ok(capacity < 0.9 * 9900 && capacity > 0.5 * 9900, `${capacity}`);
  });

  it("is told by what came since the rate went beyond it when the queue is small", () => {
    // Too little above what is quiet for an edge, but it goes up since the rate is beyond.
    const points = pointsOf(NOW - 1, NOW, (sent) => Math.max(0, 60 * (sent - NOW + 0.4)));
    const side = { points, counts: countsOf(NOW - 2, NOW, 10_000, 10_000), steps: 3, probing: NOW - 0.4 };
    near(capacityNow(viewOf({ direction: "upload", side })), 10_000 / 1.06, 0.01);
  });
});

describe("the delay that a probe would meet now", () => {
  it("is that of the newest answer, and what the queue grew by since it was asked", () => {
    const points = growing(1);
    const newest = points.at(-1)!;
    const expected = newest.delta + 1000 * (NOW - newest.sent);
    near(delayNow(viewOf({ side: { points } })), expected, 0.01);
  });

  it("does not count on a queue to shrink, nor to grow without end", () => {
    const falling = pointsOf(NOW - 0.5, NOW, (sent) => 90 - 100 * (sent - NOW + 0.5));
    assert.equal(delayNow(viewOf({ side: { points: falling } })), falling.at(-1)!.delta);
    const steep = growing(15, NOW - 0.4).map((point) => ({ ...point, received: NOW }));
    assert.ok(delayNow(viewOf({ now: NOW + 20, side: { points: steep } })) <= steep.at(-1)!.delta + 1000);
  });

  it("is none without an answer, and never less than none", () => {
    assert.equal(delayNow(viewOf({})), 0);
    assert.equal(delayNow(viewOf({ side: { points: pointsOf(NOW - 0.5, NOW, () => -7) } })), 0);
  });
});

describe("the capacity that a draining queue shows", () => {
  const SINCE = NOW - 0.4;
  const drain: Drain = { since: SINCE, until: NOW + 1, delay: 300, from: 10_000, vain: 0 };
  /** After a cut to so much (kbit/s), at a line of 6 Mbit/s. */
  function shown(direction: Direction, sent: number, from = 300) {
    const slope = (sent - 6000) / 6000;
    const points = pointsOf(SINCE, NOW, (at) => from + 1000 * slope * (at - SINCE));
    const counts = countsOf(SINCE, NOW, sent, sent, countsOf(NOW - 2, SINCE, 10_000, 10_000));
    return capacityShown(
      viewOf({ direction, rate: sent, side: { points, counts, drain }, fresh: points.slice(-1) }),
      drain,
    );
  }

  it("is what was sent by 1 + slope, the slope being negative", () => {
    for (const sent of [5500, 4000, 2500]) {
      const seen = shown("upload", sent, 600)!;
      near(seen.capacity, 6000, 0.02);
      assert.equal(seen.growing, false);
    }
  });

  it("is less than what it was cut to when the queue goes on growing", () => {
    const seen = shown("upload", 9000)!;
    near(seen.capacity, 6000, 0.02);
    assert.ok(seen.growing || seen.capacity < 9000);
  });

  it("is not there without a new answer, with too few, or of a queue that is nearly gone", () => {
    const points = pointsOf(SINCE, NOW, (at) => 300 - 300 * (at - SINCE));
    const counts = countsOf(NOW - 2, NOW, 4000, 4000);
    const with_ = (seen: readonly Point[], fresh: readonly Point[]) =>
      capacityShown(viewOf({ direction: "upload", rate: 4000, side: { points: seen, counts, drain }, fresh }), drain);
    assert.ok(with_(points, points.slice(-1)));
    assert.equal(with_(points, []), undefined);
    assert.equal(with_(points.slice(0, 2), points.slice(1, 2)), undefined);
    assert.equal(with_([], []), undefined);
    const small = points.map((point) => ({ ...point, delta: point.delta / 20 }));
    assert.equal(with_(small, small.slice(-1)), undefined);
  });

  it("is told of by answers of before the cut as long as they are all that there is", () => {
    const points = pointsOf(NOW - 0.6, NOW - 0.1, (at) => 1000 * (at - NOW + 0.6));
    const later: Drain = { ...drain, since: NOW - 0.1 };
    const counts = countsOf(NOW - 2, NOW, 10_000, 10_000);
    const view = viewOf({ direction: "upload", side: { points, counts, drain: later }, fresh: points.slice(-1) });
    const seen = capacityShown(view, later)!;
    near(seen.capacity, 5000, 0.03);
    assert.equal(seen.growing, true);
  });

  it("stays within what any line of the configuration is", () => {
    for (const sent of [BOUNDS.min, BOUNDS.max]) {
      const seen = shown("upload", sent, 900);
      assert.ok(seen === undefined || (Number.isFinite(seen.capacity) && seen.capacity > 0));
    }
  });
});
