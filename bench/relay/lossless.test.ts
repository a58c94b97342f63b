import assert from "node:assert/strict";
import { test } from "node:test";
import { findLossless } from "./lossless.ts";

/** A relay that carries so many a second, of a generator that makes so many. */
const relay =
  (limit: number, generator = Infinity, asked: number[] = []) =>
  async (rate: number) => {
    asked.push(rate);
    const offered = Math.min(rate, generator);
    const lost = offered <= limit ? 0 : 1 - limit / offered;
    return { offered, delivered: offered * (1 - lost), lost, cpu: 0.5 };
  };

test("the highest step that goes through is found by a few tries", async () => {
  const asked: number[] = [];
  assert.deepEqual((await findLossless(1, relay(260_000, Infinity, asked))).rate, 250_000);
  assert.ok(asked.length <= 6, `${asked.length} tries`);
  assert.equal((await findLossless(1, relay(2_600_000))).rate, 2_600_000);
  assert.equal((await findLossless(1, relay(10_000))).rate, 0);
});

test("what the generator cannot make is said", async () => {
  const { rate, limited } = await findLossless(1, relay(5_000_000, 870_000));
  assert.deepEqual([rate, limited], [870_000, true]);
});

test("most of the tries of a step decide", async () => {
  let turn = 0;
  const run = relay(Infinity);
  const sometimes = async (rate: number) => {
    turn += 1;
    return { ...(await run(rate)), lost: turn % 3 === 0 ? 0.5 : 0 };
  };
  assert.equal((await findLossless(3, sometimes)).rate, 2_600_000);
});
