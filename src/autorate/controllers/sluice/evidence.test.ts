import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { both } from "../../../core/both.ts";
import type { Judged, Outstanding } from "../../model.ts";
import { pointsOf, THRESHOLD } from "../../../../test/helpers/sluice-lab.ts";
import { keepPoints, overdue, pendingAfter, type Point, pointOf, weigh } from "./evidence.ts";

const NOW = 10;
/** Points of the last half second, the newest last: a delta each, by turns of six reflectors. */
const recent = (...deltas: readonly number[]): Point[] =>
  deltas.map((delta, i) => {
    const received = NOW - 0.05 * (deltas.length - i);
    return { reflector: `r${i % 6}`, sent: received - 0.02 - Math.max(0, delta) / 1000, received, delta };
  });
const late = (points: readonly Point[], pending?: number): boolean => weigh(points, THRESHOLD, NOW, pending).late;

describe("a look at the queue", () => {
  const sample = (mode: Judged["mode"]): Judged => ({
    reflector: "r0",
    mode,
    sent: 1,
    received: 1.05,
    owd: both(() => 0),
    rtt: 50,
    delta: { download: 12, upload: 8 },
  });

  it("is the delta of the direction", () => {
    assert.deepEqual(pointOf(sample("timestamp"), "download", true), {
      reflector: "r0",
      sent: 1,
      received: 1.05,
      delta: 12,
    });
    assert.equal(pointOf(sample("timestamp"), "upload", true).delta, 8);
  });

  it("is all of a round trip when the other direction is idle, and half of it when it is not", () => {
    for (const mode of ["timestamp-rtt", "echo"] as const) {
      assert.equal(pointOf(sample(mode), "download", true).delta, 24);
      assert.equal(pointOf(sample(mode), "download", false).delta, 12);
    }
  });

  it("is forgotten after a while", () => {
    const points = pointsOf(0, 20, () => 0);
    let kept: readonly Point[] = [];
    for (let now = 0.1; now < 20; now += 0.1) {
      kept = keepPoints(
        kept,
        points.filter(({ received }) => received > now - 0.1 && received <= now),
        now,
      );
      assert.ok(kept.length <= 32, `${kept.length} points`);
    }
    assert.ok(kept.length >= 20);
    assert.deepEqual(
      kept,
      points.filter((point) => kept.includes(point)),
      "in their order",
    );
    assert.deepEqual(keepPoints(kept, [], 100), []);
    assert.deepEqual(keepPoints([], recent(1), NOW), recent(1));
  });
});

describe("what the answers say", () => {
  it("is nothing when there is none, or none of lately", () => {
    assert.deepEqual(weigh([], THRESHOLD, NOW), { delay: undefined, newest: undefined, steep: false, late: false });
    const old = pointsOf(0, 2, () => 500);
    assert.deepEqual(weigh(old, THRESHOLD, NOW), { delay: undefined, newest: undefined, steep: false, late: false });
  });

  it("is the lower median of the latest of each reflector", () => {
    assert.equal(weigh(recent(1, 2, 3, 4, 5, 6), THRESHOLD, NOW).delay, 3);
    assert.equal(weigh(recent(100, 100, 100, 100, 100, 100, 1, 2, 3, 4, 5, 6), THRESHOLD, NOW).delay, 3);
    assert.equal(weigh(recent(1, 2, 3), THRESHOLD, NOW).delay, 2);
    assert.equal(weigh(recent(7), THRESHOLD, NOW).delay, 7);
  });

  it("is no queue when one reflector is late by whatever it likes, how often it likes", () => {
    const others = fc.array(fc.double({ min: -50, max: THRESHOLD, noNaN: true }), { minLength: 12, maxLength: 12 });
    const stray = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 2 });
    const waited = fc.option(fc.double({ min: -100, max: 1e5, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(others, stray, fc.nat(5), waited, (deltas, [first, second], which, pending) => {
        const points = recent(...deltas.with(which, first!).with(which + 6, second!));
        assert.equal(late(points, pending), false);
      }),
    );
  });

  it("is no queue when half of the reflectors are late by turns with the others, one when most are", () => {
    assert.equal(late(recent(90, 0, 90, 0, 90, 0)), false);
    assert.equal(late(recent(90, 0, 90, 0, 90, 90)), true);
  });

  it("is a queue when the last four are late, though most have not been asked again", () => {
    assert.equal(late(recent(0, 0, 0, 0, 0, 0, 20, 20, 20, 20)), true);
    assert.equal(late(recent(0, 0, 0, 0, 0, 0, 20, 20, 20)), false);
    assert.equal(late(recent(0, 0, 0, 0, 0, 0, 20, 20, 20, 14)), false);
  });

  it("is no queue when those four are of two reflectors, and others are known", () => {
    const two = recent(0, 0, 0, 0, 0, 0, 0, 0, 90, 90, 90, 90).map((point, i) =>
      i < 8 ? point : { ...point, reflector: `r${i % 2}` },
    );
    assert.equal(late(two), false);
  });

  it("is a queue with the only reflector that there is", () => {
    const one = recent(0, 0, 20, 20, 20, 20).map((point) => ({ ...point, reflector: "r0" }));
    assert.equal(late(one), true);
    assert.equal(late(one.slice(0, -1)), true, "its latest is its median");
  });

  it("is a queue sooner when it grows by far", () => {
    const { late: isLate, steep } = weigh(recent(0, 0, 0, 0, 0, 0, 20, 35, 50), THRESHOLD, NOW);
    assert.deepEqual([isLate, steep], [true, true]);
    assert.equal(late(recent(0, 0, 0, 0, 0, 0, 20, 35, 40)), false, "by far is three thresholds");
    assert.equal(late(recent(0, 0, 0, 0, 0, 0, 60, 50, 55)), false, "not each is later than the one before");
  });

  it("takes the one that is waited for as one more when it is later already", () => {
    const points = recent(0, 0, 0, 0, 0, 0, 20, 50);
    assert.equal(late(points), false);
    assert.equal(late(points, 60), true);
    assert.equal(late(points, 40), false);
  });

  it("has the smaller of the newest two as the newest", () => {
    assert.equal(weigh(recent(1, 2, 9, 4), THRESHOLD, NOW).newest, 4);
    assert.equal(weigh(recent(1, 2, 4, 9), THRESHOLD, NOW).newest, 4);
    assert.equal(weigh(recent(5), THRESHOLD, NOW).newest, 5);
    const alone = [...pointsOf(0, 1, () => 0), ...recent(8)];
    assert.equal(weigh(alone, THRESHOLD, NOW).newest, 8, "the one before is of long ago");
  });
});

describe("what is not back yet", () => {
  const probe = (reflector: string, sent: number, baseline?: number): Outstanding => ({
    reflector,
    sent,
    ...(baseline !== undefined && { baseline }),
  });

  it("is at least as late as it is old", () => {
    const outstanding = [probe("a", 9.7, 20), probe("b", 9.8, 20), probe("c", 9.9, 20)];
    assert.ok(Math.abs(pendingAfter(outstanding, 9.75, NOW)! - 180) < 1e-6);
    assert.equal(pendingAfter(outstanding, 9.95, NOW), undefined);
    assert.equal(pendingAfter([probe("a", 9.8)], 9, NOW), undefined, "what is usual is not known");
  });

  it("tells of a long queue when most of them are waited for", () => {
    const aged = (...ages: readonly number[]): Outstanding[] => ages.map((age, i) => probe(`r${i}`, NOW - age, 20));
    assert.ok(Math.abs(overdue(aged(1.5, 1.4, 1.3, 1.2), 1000, NOW)! - 1280) < 1e-6);
    assert.equal(overdue(aged(1.5, 1.4, 0.3, 0.2, 0.1), 1000, NOW), undefined);
    assert.equal(overdue(aged(5), 1000, NOW), undefined, "one alone may be gone");
    assert.equal(overdue([], 1000, NOW), undefined);
    assert.equal(overdue([probe("a", 1), probe("b", 1), probe("c", 1)], 1000, NOW), undefined, "they never answered");
  });

  it("counts the oldest of each reflector", () => {
    const outstanding = ["a", "b"].flatMap((name) => [probe(name, 8, 20), probe(name, 9.9, 20)]);
    assert.ok(Math.abs(overdue(outstanding, 1000, NOW)! - 1980) < 1e-6);
  });
});
