import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf, defaultLeafMajor, htbMajor, MAX_QUEUES, MQ_NUMBER, poolsOf, UPLOAD_BIT } from "./numbers.ts";

const queues = Array.from({ length: 2 * MAX_QUEUES }, (_, queue) => queue);
const htbs = new Set(queues.map((queue) => htbMajor(queue)));
const fallbacks = new Set(queues.map((queue) => defaultLeafMajor(queue)));

test("HTBs share a hash bucket with nothing that has a leaf handle", () => {
  assert.equal(htbMajor(0), 1);
  const bucket = bucketOf(1);
  assert.ok([...htbs].every((number) => bucketOf(number) === bucket));
  assert.ok([...fallbacks, ...poolsOf("bridge").leaf].every((number) => bucketOf(number) !== bucket));
  assert.ok(
    poolsOf("stick").leaf.every((number) => bucketOf(number) !== bucket && bucketOf(number | UPLOAD_BIT) !== bucket),
  );
});

test("handles of HTBs, default leaves, circuits and mq are disjoint, on a stick with both sides counted", () => {
  const stick = poolsOf("stick").leaf.flatMap((number) => [number, number | UPLOAD_BIT]);
  for (const leaves of [poolsOf("bridge").leaf, stick]) {
    const all = [...htbs, ...fallbacks, ...leaves, MQ_NUMBER];
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.every((number) => number >= 1 && number < 0xffff));
  }
});

test("there are numbers for the largest ISPs", () => {
  assert.ok(poolsOf("bridge").leaf.length > 60_000);
  assert.ok(poolsOf("stick").leaf.length > 27_000);
  assert.equal(new Set(poolsOf("bridge").inner).size, poolsOf("bridge").inner.length);
});
