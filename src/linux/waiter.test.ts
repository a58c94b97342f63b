import assert from "node:assert/strict";
import { readSync, writeSync } from "node:fs";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Fd, openFiles } from "./fd.ts";
import { eventfd } from "./ffi.ts";
import { Waiter } from "./waiter.ts";

const NONBLOCK = 0o4000;

/** An eventfd, which is readable once it was written to. */
class Signal extends Fd {
  constructor() {
    super(eventfd(0, NONBLOCK));
  }
  raise(): void {
    writeSync(this.number, BigUint64Array.of(1n));
  }
  lower(): void {
    readSync(this.number, new Uint8Array(8));
  }
}

const until = async (done: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 3000; !done();) {
    assert.ok(performance.now() < deadline, "it did not come to that within 3 s");
    await setImmediate();
  }
};

describe("the waiter", () => {
  it("calls each for its own descriptor, those that come while it waits too", async () => {
    const waiter = new Waiter();
    using one = new Signal();
    using two = new Signal();
    const seen: string[] = [];
    using _one = waiter.watch(one.number, () => void (one.lower(), seen.push("one")));
    one.raise();
    await until(() => seen.length === 1);
    using _two = waiter.watch(two.number, () => void (two.lower(), seen.push("two")));
    two.raise();
    await until(() => seen.length === 2);
    one.raise();
    await until(() => seen.length === 3);
    assert.deepEqual(seen, ["one", "two", "one"]);
    assert.equal(waiter.size, 2);
  });

  it("calls none that has gone, and ends with the last", async () => {
    const waiter = new Waiter();
    using one = new Signal();
    using two = new Signal();
    const before = openFiles();
    let calls = 0;
    const second: { watch?: Disposable } = {};
    using first = waiter.watch(one.number, () => {
      calls += 1;
      first[Symbol.dispose]();
      second.watch?.[Symbol.dispose]();
    });
    second.watch = waiter.watch(two.number, () => void (calls += 100));
    one.raise();
    two.raise();
    await until(() => waiter.size === 0);
    await until(() => openFiles() <= before);
    assert.equal(calls % 100, 1, "the first is called once");
    // It begins anew with the next.
    using _third = waiter.watch(two.number, () => void (two.lower(), (calls = -1)));
    await until(() => calls === -1);
  });

  it("goes on for the others when one throws", async () => {
    const waiter = new Waiter();
    using bad = new Signal();
    using good = new Signal();
    let calls = 0;
    using _bad = waiter.watch(bad.number, () => {
      throw new Error("no");
    });
    using _good = waiter.watch(good.number, () => void (good.lower(), (calls += 1)));
    bad.raise();
    await until(() => waiter.size === 1);
    good.raise();
    await until(() => calls === 1);
  });
});
