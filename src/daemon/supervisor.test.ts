import assert from "node:assert/strict";
import { test } from "node:test";
import { TemporaryStore } from "../../test/helpers/store.ts";
import { milliseconds } from "../core/units.ts";
import { Journal } from "./journal.ts";
import { type Part, Supervisor } from "./supervisor.ts";

/** A supervisor whose waits are over at once, and what they were. */
function supervised(db: TemporaryStore["db"]) {
  let now = 0;
  const clock = { now: () => milliseconds(0), monotonic: () => milliseconds(now) };
  const journal = new Journal(db, clock);
  const waits: number[] = [];
  const wait = (time: number): Promise<void> => {
    waits.push(time);
    now += time;
    return Promise.resolve();
  };
  const age = (time: number): void => void (now += time);
  return { journal, waits, age, supervisor: new Supervisor(journal, clock, wait) };
}

const forever = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

test("a part that fails is started again, later each time, and no other notices", async () => {
  using store = new TemporaryStore();
  const { supervisor, waits, journal, age } = supervised(store.db);
  let lives = 0;
  let settled: () => void;
  const done = new Promise<void>((resolve) => (settled = resolve));
  const failing: Part = {
    name: "failing",
    run: async (signal) => {
      lives += 1;
      if (lives === 9) age(60_000);
      if (lives === 11) {
        settled();
        await forever(signal);
        return;
      }
      throw new Error(`life ${lives} failed`);
    },
  };
  supervisor.start({ name: "steady", run: forever });
  supervisor.start(failing);
  await done;
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 16_000, 250, 500]);
  assert.deepEqual(supervisor.parts, [
    { name: "steady", state: "running", restarts: 0 },
    { name: "failing", state: "running", restarts: 10, reason: "life 10 failed" },
  ]);
  const [condition] = journal.health.list();
  assert.match(condition!.message, /^failing fails again and again: life 8 failed$/);
  assert.equal(journal.events({ limit: 100, kind: "part.failed" }).length, 10);
  await supervisor.stop();
  assert.ok(supervisor.parts.every(({ state }) => state === "stopped"));
});

test("a part that ends by itself has failed too", async () => {
  using store = new TemporaryStore();
  const { supervisor } = supervised(store.db);
  let lives = 0;
  let settled: () => void;
  const done = new Promise<void>((resolve) => (settled = resolve));
  supervisor.start({
    name: "short",
    run: (signal) => {
      lives += 1;
      if (lives === 1) return Promise.resolve();
      settled();
      return forever(signal);
    },
  });
  await done;
  assert.match(supervisor.parts[0]!.reason!, /ended by itself/);
  await supervisor.stop();
});
