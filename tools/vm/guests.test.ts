import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { remark } from "../testing/tier.ts";
import { runInGuests } from "./guests.ts";
import { claim, report } from "./job.ts";
import type { Guest, Machine } from "./machine.ts";

const FILES = ["a.test.ts", "b.test.ts", "c.test.ts"];

/** A machine whose kernel panics in the first so many guests while they run the second file. */
class Panicking {
  guests = 0;
  readonly #panics: number;

  constructor(panics: number) {
    this.#panics = panics;
  }

  start({ number, shared }: Guest) {
    this.guests += 1;
    report(shared, number, { kernel: "6.12" });
    let word = "Power down";
    for (const file of FILES.filter((each) => claim(shared, each))) {
      report(shared, number, { begun: file });
      if (file === FILES[1] && number < this.#panics) {
        word = "Kernel panic - not syncing";
        break;
      }
      report(shared, number, { result: remark(file, { passed: 1 }) });
    }
    if (word === "Power down") report(shared, number, { finished: true });
    return { machine: spawn("echo", [word], { detached: true }), servers: [], leftovers: [] };
  }

  async run(t: TestContext) {
    t.mock.method(console, "log", () => undefined);
    const machine: Machine = {
      title: "test",
      memory: 1,
      keepsMemoryInFolder: false,
      guests: 1,
      pullsPlug: false,
      patience: 10_000,
      modules: [],
      start: (guest) => this.start(guest),
    };
    return runInGuests(join(import.meta.dirname, "../.."), machine, tmpdir(), { netns: FILES, vm: [] });
  }
}

test("where a kernel panics another guest runs what it ran, and what it had not begun", async (t) => {
  const machine = new Panicking(1);
  const { results } = await machine.run(t);
  assert.deepEqual(results.map(({ file }) => file).toSorted(), FILES);
  assert.ok(results.every(({ failures }) => failures.length === 0));
  assert.equal(machine.guests, 2);
});

test("one that panics again is a failure", async (t) => {
  const machine = new Panicking(2);
  const { results } = await machine.run(t);
  const causes = results.flatMap(({ failures }) => failures.map(({ cause }) => String(cause)));
  assert.equal(causes.length, 1);
  assert.match(causes[0]!, /while it ran b\.test\.ts, .*\n +Kernel panic - not syncing/);
  assert.equal(machine.guests, 2);
});
