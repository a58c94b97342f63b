import assert from "node:assert/strict";
import { test } from "node:test";
import { type BitsPerSecond, megabits } from "../core/units.ts";
import { type Claim, grantMinimums, RATE_FLOOR } from "./minimums.ts";

const claim = (
  owner: string,
  minimum: number,
  ceil: number,
  children: Claim<string>[] = [],
  prior?: number,
): Claim<string> => ({
  owner,
  kind: owner.startsWith("node") ? "node" : "circuit",
  minimum: megabits(minimum),
  ceil: megabits(ceil),
  children,
  ...(prior !== undefined && { prior: megabits(prior) }),
});

function ratesOf(claims: Claim<string>[], available: number): Record<string, number> {
  const { grants } = grantMinimums(claims, megabits(available));
  return Object.fromEntries(grants.map(({ owner, rate }) => [owner, rate / 1e6]));
}

test("a circuit gets its minimum, or the floor when it has none", () => {
  assert.deepEqual(ratesOf([claim("a", 5, 10), claim("b", 0, 10)], 100), { a: 5, b: RATE_FLOOR / 1e6 });
});

test("a node gets what is below it, and a share by ceilings of half of what is spare", () => {
  const site = claim("node-s", 0, 60, [claim("a", 10, 20), claim("b", 10, 20)]);
  const other = claim("node-t", 30, 20, []);
  // 100 - 20 - 20 (t cannot use more than its ceiling) = 60 spare, 30 shared 60:20; t is at its ceiling already.
  assert.deepEqual(ratesOf([site, other], 100), { "node-s": 42.5, a: 10, b: 10, "node-t": 20 });
});

test("a node keeps what it had while that is enough, and a circuit more does not change it", () => {
  const before = ratesOf([claim("node-s", 0, 60, [claim("a", 10, 20)]), claim("node-t", 0, 60)], 100);
  const s = claim("node-s", 0, 60, [claim("a", 10, 20), claim("b", 10, 20)], before["node-s"]);
  const after = ratesOf([s, claim("node-t", 0, 60, [], before["node-t"])], 100);
  assert.equal(after["node-s"], before["node-s"]);
  assert.equal(after["node-t"], before["node-t"]);
});

test("what was granted before gives way when it does not fit any more", () => {
  const rates = ratesOf([claim("node-s", 0, 90, [], 80), claim("node-t", 50, 90, [], 80)], 100);
  assert.ok(rates["node-s"]! + rates["node-t"]! <= 100);
  assert.ok(rates["node-t"]! >= 50);
});

test("guarantees that do not fit are named with their sum, and scaled alike above the floors", () => {
  const site = claim("node-s", 0, 30, [claim("a", 40, 40), claim("b", 20, 40)]);
  const { grants, oversubscribed } = grantMinimums([site], megabits(100));
  assert.deepEqual(oversubscribed, [{ parent: "node-s", sum: megabits(60), ceil: megabits(30), hopeless: false }]);
  const rate = (owner: string): BitsPerSecond => grants.find((grant) => grant.owner === owner)!.rate;
  assert.ok(Math.abs(rate("a") / rate("b") - 2) < 0.001);
  assert.ok(rate("a") + rate("b") <= 30e6);
  assert.ok(rate("a") + rate("b") > 29.99e6);
});

test("a minimum above what the parent leaves is the parent's to report", () => {
  const { oversubscribed } = grantMinimums([claim("node-s", 50, 40)], megabits(40));
  assert.deepEqual(oversubscribed, [{ parent: undefined, sum: megabits(50), ceil: megabits(40), hopeless: false }]);
});

test("floors that do not fit are hopeless", () => {
  const many = Array.from({ length: 100 }, (_, i) => claim(`c${i}`, 0, 0.05));
  const { oversubscribed } = grantMinimums([claim("node-s", 0, 0.05, many)], megabits(1));
  assert.equal(oversubscribed.find(({ parent }) => parent === "node-s")?.hopeless, true);
});
