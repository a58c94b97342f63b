import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { Serial } from "./serial.ts";

test("one after the other in the order in which they came; a failure is its caller's alone", async () => {
  const seen: string[] = [];
  let ended = 0;
  const serial = new Serial(() => (ended += 1));
  const step = (name: string, wait: number) => async (): Promise<string> => {
    seen.push(`${name} begins`);
    await setTimeout(wait);
    seen.push(`${name} ends`);
    if (name === "b") throw new Error("b failed");
    return name;
  };
  const [a, b, c] = [serial.run(step("a", 10)), serial.run(step("b", 0)), serial.brief(step("c", 0))];
  assert.equal(await a, "a");
  await assert.rejects(b, /b failed/);
  assert.equal(await c, "c");
  await serial.idle();
  assert.deepEqual(seen, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  assert.equal(ended, 2, "what is brief is not followed by anything");
});
