import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../core/clock.ts";
import { milliseconds } from "../../core/units.ts";
import { before, Wall } from "./wall.ts";

/** A clock whose wall clock is ahead by this, and shows whole milliseconds. */
class Hands implements Clock {
  time = 1000;
  ahead = 1_700_000_000_000.37;
  now = (): ReturnType<Clock["now"]> => milliseconds(Math.floor(this.time + this.ahead));
  monotonic = (): ReturnType<Clock["monotonic"]> => milliseconds(this.time);
}

test("the fraction of the time of day is found out from readings", () => {
  const hands = new Hands();
  const wall = new Wall(hands);
  for (let i = 0; i < 200; i += 1) {
    hands.time += 7.13;
    wall.read();
  }
  hands.time += 0.5;
  const { monotonic, wall: time } = wall.read();
  assert.equal(monotonic, hands.time);
  assert.ok(Math.abs(time - (hands.time + hands.ahead)) < 0.05, `${time - hands.time - hands.ahead} ms off`);
});

test("a clock that is set, or slewed, is followed at once", () => {
  const hands = new Hands();
  const wall = new Wall(hands);
  for (const by of [3_600_000, -7_200_000, 5]) {
    hands.ahead += by;
    assert.ok(Math.abs(wall.read().wall - (hands.time + hands.ahead)) <= 1);
  }
  for (let i = 0; i < 1000; i += 1) {
    hands.time += 100.3;
    hands.ahead += 0.05;
    assert.ok(Math.abs(wall.read().wall - (hands.time + hands.ahead)) <= 1);
  }
});

test("an earlier moment is earlier by both clocks", () => {
  assert.deepEqual(before({ monotonic: 10, wall: 1000 }, 4), { monotonic: 6, wall: 996 });
});
