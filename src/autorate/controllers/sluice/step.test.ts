import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SluiceLab, THRESHOLD } from "../../../../test/helpers/sluice-lab.ts";
import type { Side } from "./side.ts";

/** Whoever changes it in place is found out. */
function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null)
    Object.values(Object.freeze(value)).forEach((inner) => freeze(inner));
  return value;
}

describe("a tick of a direction", () => {
  it("changes nothing of what it was given", () => {
    for (const direction of ["download", "upload"] as const) {
      const lab = new SluiceLab(direction, 8000);
      for (let i = 0; i < 300; i += 1) {
        const before: Side = freeze(lab.side);
        lab.runOver(i < 100 ? 8000 : i < 200 ? 3000 : 12_000, 0.1);
        assert.ok(lab.side !== before && Object.isFrozen(before));
      }
    }
  });

  it("answers a queue in the tick in which it shows, and lets nothing else be judged until it is gone", () => {
    const lab = new SluiceLab("upload", 10_000);
    lab.run(3, { load: 0.95 });
    const branches = lab.runOver(lab.rate / 2, 1.5);
    const first = branches.findIndex((branch) => branch === "cut" || branch === "met");
    assert.ok(first >= 0 && first <= 4, branches.join(" "));
    const drained = branches.indexOf("drained");
    assert.ok(drained > first);
    assert.ok(branches.slice(first + 1, drained).every((branch) => branch === "drain" || branch.startsWith("cut")));
  });

  it("is not moved by one reflector that is late for once, or for all of the time", () => {
    for (const always of [false, true]) {
      const calm = new SluiceLab("download", 10_000);
      const lab = new SluiceLab("download", 10_000);
      for (let i = 0; i < 100; i += 1) {
        calm.tick({ load: 0.9 });
        lab.tick({
          load: 0.9,
          delay: (sent, reflector) => (reflector === 2 && (always || Math.floor(sent) === 105) ? 400 : 0),
        });
        assert.equal(lab.branch, calm.branch);
        assert.equal(lab.rate, calm.rate);
      }
    }
  });

  it("stays calm while half of the reflectors are late by turns", () => {
    const lab = new SluiceLab("download", 10_000);
    const branches = lab.run(10, { load: 0.7, delay: (_, reflector) => (reflector % 2 === 0 ? 200 : 0) });
    assert.deepEqual([...new Set(branches)], ["hold"]);
    assert.equal(lab.rate, 10_000);
  });

  it("counts what a packet takes to send as no delay, on a slow line", () => {
    // A full packet takes 24 ms at 500 kbit/s.
    const bounds = { min: 100, base: 500, max: 2000 };
    const slow = new SluiceLab("upload", 500, { activeRate: 50 }, bounds);
    const branches = slow.run(5, { load: 0.79, delay: THRESHOLD + 15 });
    assert.ok(!branches.includes("cut"), branches.join(" "));
    const fast = new SluiceLab("upload", 10_000);
    assert.ok(fast.run(5, { load: 0.79, delay: THRESHOLD + 15 }).includes("cut"));
  });

  it("learns what the line is like when nothing of ours is in it", () => {
    const lab = new SluiceLab("download", 10_000);
    lab.run(20, { load: 0.1, delay: (sent) => 6 + 3 * Math.sin(40 * sent) });
    assert.ok(lab.side.quiet > 4 && lab.side.quiet < 8, `${lab.side.quiet}`);
    assert.ok(lab.side.jitter > 0.3 && lab.side.jitter < 4, `${lab.side.jitter}`);
    lab.run(1, { load: 0.7, delay: 6 });
    const learned = lab.side;
    lab.run(5, { load: 0.7, delay: 12 });
    assert.deepEqual([lab.side.quiet, lab.side.jitter], [learned.quiet, learned.jitter], "this may be our own queue");
  });

  it("does not take a line for quiet whose delay is long", () => {
    const lab = new SluiceLab("download", 10_000);
    // Late without traffic: nobody's fault, and nothing to learn from.
    lab.run(30, { sent: 10, delay: 900 });
    assert.ok(lab.side.quiet <= 50);
    const before = lab.side.quiet;
    lab.run(20, { load: 0.1, delay: 0 });
    assert.ok(lab.side.quiet < 2 && lab.side.quiet <= before);
  });

  it("keeps little, however long it runs", () => {
    const lab = new SluiceLab("upload", 10_000);
    for (let i = 0; i < 100; i += 1) {
      lab.runOver(2500 + 700 * (i % 9), 2);
      const { points, counts, past } = lab.side;
      assert.ok(
        points.length < 60 && counts.length < 40 && past.length < 25,
        `${points.length} ${counts.length} ${past.length}`,
      );
    }
  });
});
