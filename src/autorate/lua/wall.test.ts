import assert from "node:assert/strict";
import { test } from "node:test";
import { wallOf } from "./wall.ts";

test("the fields are those of the machine's time zone", () => {
  const at = new Date(2024, 1, 29, 23, 5, 9, 250);
  assert.deepEqual(wallOf(at.getTime()), {
    unix: at.getTime() / 1000,
    year: 2024,
    month: 2,
    day: 29,
    hour: 23,
    min: 5,
    sec: 9,
    wday: 5,
    yday: 60,
  });
});

test("days count from 1, Sundays and first of January", () => {
  const { wday, yday } = wallOf(new Date(2023, 0, 1, 0, 0, 0).getTime());
  assert.deepEqual([wday, yday], [1, 1]);
  assert.equal(wallOf(new Date(2024, 11, 31, 12).getTime()).yday, 366);
});
