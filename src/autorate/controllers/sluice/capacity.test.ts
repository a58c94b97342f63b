import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pointsOf } from "../../../../test/helpers/sluice-lab.ts";
import { Pipe } from "../../simulation/pipe.ts";
import { capacityBySlope, risingEdge, slopeOf } from "./capacity.ts";

const near = (actual: number, expected: number, share = 1e-6): void =>
  assert.ok(Math.abs(actual - expected) <= share * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

describe("the slope of a delay", () => {
  it("is that of the line through the points", () => {
    for (const slope of [-0.6, -0.1, 0, 0.3, 4]) {
      const found = slopeOf(pointsOf(5, 5.5, (sent) => 30 + slope * 1000 * (sent - 5)))!;
      near(found.value, slope);
      near(found.from, 5);
      near(found.to, 5.45);
    }
  });

  it("is the best of points beside the line", () => {
    const wobble = [3, -3, -3, 3, 3, -3, -3, 3];
    const points = pointsOf(0, 0.4, (sent) => 20 + 500 * sent + wobble[Math.round(sent / 0.05)]!);
    near(slopeOf(points)!.value, 0.5, 0.02);
  });

  it("is of the times at which probes left, in whatever order they came", () => {
    const points = pointsOf(0, 0.4, (sent) => 700 * sent);
    near(slopeOf([points[0]!, ...points.slice(1).toReversed()])!.value, 0.7);
  });

  it("is not there with too few points, or in too short a time", () => {
    const points = pointsOf(0, 1, (sent) => 1000 * sent);
    assert.equal(slopeOf([]), undefined);
    assert.equal(slopeOf(points.slice(0, 2)), undefined);
    assert.ok(slopeOf(points.slice(0, 3)));
    assert.equal(slopeOf(points.slice(0, 3).map((point, i) => ({ ...point, sent: 1 + i / 100 }))), undefined);
    assert.equal(slopeOf(points.slice(0, 5).map((point) => ({ ...point, sent: 1 }))), undefined);
  });
});

describe("the capacity", () => {
  it("is what is sent by 1 + slope: of a queue that is fed at any rate", () => {
    const rate = fc.double({ min: 100, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(rate, fc.double({ min: 0.12, max: 15, noNaN: true }), (capacity, ratio) => {
        near(capacityBySlope(ratio * capacity, ratio - 1), capacity);
      }),
    );
  });

  it("is what empties a real queue, while it grows and while it drains", () => {
    const capacity = 8000;
    const pipe = new Pipe(capacity * 125, 1e9);
    pipe.step(capacity * 125, 0);
    for (const sent of [12_000, 3000, 20_000]) {
      const delays = new Map<number, number>();
      for (let i = 0; i < 10; i += 1) {
        delays.set(i, (pipe.queue / pipe.rate) * 1000);
        pipe.step(sent * 125 * 0.05, 0.05);
      }
      const slope = slopeOf(pointsOf(0, 0.5, (at) => delays.get(Math.round(at / 0.05))!))!;
      near(capacityBySlope(sent, slope.value), capacity);
    }
  });

  it("does not go wild by slopes that cannot be", () => {
    // A queue does not drain faster than time passes.
    assert.ok(capacityBySlope(1000, -5) <= 10_000 + 1e-6 && capacityBySlope(1000, -1) > 0);
    assert.ok(capacityBySlope(1000, 1e9) > 10);
  });
});

describe("the rising edge", () => {
  const points = pointsOf(0, 1, (sent) => (sent < 0.6 ? 2 : 2 + 400 * (sent - 0.55)));

  it("goes from the last low point to the newest", () => {
    const edge = risingEdge(points.slice(0, 15), 5);
    assert.equal(edge[0], points[11]);
    assert.equal(edge.at(-1), points[14]);
  });

  it("is the last few of a long one", () => {
    const edge = risingEdge(points, 5);
    assert.ok(edge.length >= 3 && edge.length <= 8);
    assert.deepEqual(edge, points.slice(-edge.length));
    near(slopeOf(edge)!.value, 0.4, 0.001);
  });

  it("is whatever there is when nothing was low, or nothing is there", () => {
    assert.deepEqual(risingEdge(points.slice(0, 3), -1), points.slice(0, 3));
    assert.deepEqual(risingEdge([], 5), []);
  });
});
