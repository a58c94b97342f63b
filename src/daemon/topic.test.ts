import assert from "node:assert/strict";
import { test } from "node:test";
import { Topic } from "./topic.ts";

test("a listener that comes back gets what it missed, as far as it is kept, and then what comes", () => {
  const topic = new Topic<string>(3, 10);
  const first: string[] = [];
  const listening = topic.subscribe(({ id, message }) => first.push(`${id}${message}`));
  topic.publish("a");
  topic.publish("b");
  listening[Symbol.dispose]();
  for (const message of ["c", "d", "e"]) topic.publish(message);
  assert.deepEqual(first, ["11a", "12b"]);
  const second: string[] = [];
  topic.subscribe(({ id, message }) => second.push(`${id}${message}`), 12);
  topic.publish("f", 20);
  topic.publish("g");
  assert.deepEqual(second, ["13c", "14d", "15e", "20f", "21g"]);
});

test("without a place to go on from only what comes is given", () => {
  const topic = new Topic<number>(3);
  topic.publish(1);
  const got: number[] = [];
  topic.subscribe(({ message }) => got.push(message));
  topic.publish(2);
  assert.deepEqual(got, [2]);
});
