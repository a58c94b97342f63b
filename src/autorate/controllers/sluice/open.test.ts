import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BOUNDS,
  countsOf,
  pointsOf,
  SluiceLab,
  THRESHOLD,
  viewOf,
  type ViewChanges,
} from "../../../../test/helpers/sluice-lab.ts";
import { opened } from "./open.ts";
import { SLUICE_DEFAULTS } from "./options.ts";
import type { Side } from "./side.ts";

const NOW = 100;
const { headroom, excess, highLoad, activeRate, idleDecay } = SLUICE_DEFAULTS;
const within = (actual: number, low: number, high: number): void =>
  assert.ok(actual >= low && actual <= high, `${actual} is not within ${low} and ${high}`);

/** A direction that sends so much of its rate, with so much delay, ms. */
function at(load: number, delay: number | undefined, side: Partial<Side> = {}, changes: ViewChanges = {}) {
  const rate = changes.rate ?? BOUNDS.base;
  const points = delay === undefined ? [] : pointsOf(NOW - 0.8, NOW - 0.1, () => delay);
  const counts = countsOf(NOW - 3, NOW, load * rate, rate);
  return opened(viewOf({ ...changes, rate, side: { counts, points, holdUntil: 0, ...side } }));
}

describe("without traffic", () => {
  it("nothing is cut, however late all answers are", () => {
    for (const delay of [20, 100, 5000])
      for (const load of [0, 0.04]) {
        const { verdict } = at(load, delay);
        assert.equal(verdict.rate, BOUNDS.base);
        assert.deepEqual([verdict.branch, verdict.blocked], ["hold", "delay without traffic"]);
      }
  });

  it("no spike that all of them see is a reason, whenever it comes", () => {
    const lab = new SluiceLab("download", 10_000);
    for (let i = 0; i < 30; i += 1) {
      lab.run(0.7, { sent: 100 });
      lab.run(0.1 + 0.1 * (i % 9), { sent: 100, delay: 120 });
    }
    assert.equal(lab.rate, 10_000);
    assert.equal(lab.side.capacity, undefined);
  });

  it("the rate goes to base in steps of a second each, from above and from below, and not past it", () => {
    for (const start of [4000, 13_000]) {
      const lab = new SluiceLab("upload", start);
      const rates = Array.from({ length: 900 }, () => {
        lab.tick({ sent: 50 });
        return lab.rate;
      });
      const steps = rates.filter((rate, i) => i > 0 && rate !== rates[i - 1]).length;
      assert.equal(lab.rate, BOUNDS.base);
      const needed = Math.abs(start - BOUNDS.base) / (BOUNDS.base * idleDecay);
      within(steps, needed - 1, needed + 1);
      rates.slice(1).forEach((rate, i) => {
        const toward = start < BOUNDS.base ? rate - rates[i]! : rates[i]! - rate;
        within(toward, 0, BOUNDS.base * idleDecay + 1);
      });
    }
  });

  it("at base it stays", () => {
    const { side, verdict } = at(0, 0);
    assert.deepEqual([verdict.rate, verdict.blocked, side.decayed], [BOUNDS.base, "at base", 0]);
  });
});

describe("with some traffic", () => {
  it("the rate stays while it is little", () => {
    for (const load of [0.1, 0.5, highLoad - 0.05]) {
      const { verdict } = at(load, 1);
      assert.deepEqual([verdict.branch, verdict.rate], ["hold", BOUNDS.base]);
    }
  });

  it("delay is believed at once when the line is loaded", () => {
    for (const load of [0.6, 0.9, 1]) {
      const { side, verdict } = at(load, 60);
      assert.equal(verdict.branch, "cut");
      assert.ok(verdict.rate < load * BOUNDS.base && side.drain !== undefined);
    }
  });

  it("and otherwise only when it lasts", () => {
    const lab = new SluiceLab("upload", 10_000);
    lab.run(2, { load: 0.2 });
    const branches = lab.run(3, { load: 0.2, delay: 60 });
    const first = branches.indexOf("cut");
    within(first, 8, 20);
    assert.ok(branches.slice(3, first).every((branch) => branch === "hold"));
  });

  it("and not when it comes and goes", () => {
    const lab = new SluiceLab("upload", 10_000);
    lab.run(2, { load: 0.2 });
    const branches = Array.from({ length: 10 }, () => [
      ...lab.run(0.6, { load: 0.2, delay: 60 }),
      ...lab.run(1, { load: 0.2 }),
    ]).flat();
    assert.ok(!branches.includes("cut"), branches.join(" "));
    assert.equal(lab.rate, 10_000);
  });

  it("a line that was loaded just before it fell is a loaded one", () => {
    const counts = countsOf(NOW - 0.6, NOW, 1000, BOUNDS.base, countsOf(NOW - 3, NOW - 0.6, 9900, BOUNDS.base));
    assert.equal(at(0, 300, { counts }).verdict.branch, "cut");
  });

  it("a queue that is not ours is left alone for its time", () => {
    const { verdict } = at(0.95, 60, { foreignUntil: NOW + 2 });
    assert.deepEqual([verdict.branch, verdict.rate], ["foreign", BOUNDS.base]);
    assert.equal(at(0.95, 60, { foreignUntil: NOW - 0.1 }).verdict.branch, "cut");
  });
});

describe("in silence", () => {
  it("what was found holds, and nothing beyond it", () => {
    const { verdict } = at(0.95, undefined, { capacity: 8000 });
    assert.equal(verdict.branch, "blind");
    within(verdict.rate, 8000 * (1 - 3 * headroom), 8000);
    assert.equal(at(0.95, undefined, { capacity: 20_000 }).verdict.rate, BOUNDS.base);
    assert.equal(at(0.95, undefined).verdict.rate, BOUNDS.base, "nothing was ever found");
    assert.equal(at(0.95, undefined, {}, { options: { headroom: 0.5 } }).verdict.rate, BOUNDS.base);
  });

  it("probes that are out for long, of a direction that is full, are a queue", () => {
    const { side, verdict } = at(0.95, undefined, {}, { direction: "upload", overdue: 1500 });
    assert.equal(verdict.branch, "cut unheard");
    assert.ok(verdict.rate < 0.95 * BOUNDS.base && side.drain!.delay >= 1500);
    assert.equal(at(0.3, undefined, {}, { direction: "upload", overdue: 1500 }).verdict.branch, "blind");
  });
});

describe("looking for more", () => {
  it("rests after the capacity was found", () => {
    const { verdict } = at(0.98, 0, { capacity: 10_000, holdUntil: NOW + 0.1 });
    assert.deepEqual([verdict.branch, verdict.rate], ["hold", BOUNDS.base]);
  });

  it("comes nearer to the capacity that is known in a few ticks, less what is left free", () => {
    const lab = new SluiceLab("upload", 4000);
    lab.side = { ...lab.side, capacity: 10_000 };
    lab.run(0.3, { load: 1 });
    const branches: string[] = [];
    while (lab.tick({ load: 1 }).verdict.branch === "approach") branches.push("approach");
    within(branches.length, 2, 15);
    within(lab.rate, 0.95 * 10_000 * (1 - headroom), 10_000 * (1 + excess));
  });

  it("goes beyond it in growing steps, to an end, as long as no queue ought to have come", () => {
    const lab = new SluiceLab("upload", 9700);
    lab.side = { ...lab.side, capacity: 10_000 };
    const rates: number[] = [];
    for (let i = 0; i < 30 && lab.branch !== "grow"; i += 1) {
      lab.tick({ load: 1 });
      rates.push(lab.rate);
    }
    assert.equal(lab.branch, "grow", "no queue came, so the capacity was wrong");
    const probing = rates.slice(0, -1);
    assert.ok(Math.max(...probing) <= 10_000 * (1 + excess) && Math.max(...probing) > 10_000 * (1 + 0.7 * excess));
    within(probing.length, 5, 25);
    assert.ok(lab.side.expected > 0.02, "the queue that there ought to be");
  });

  it("meets the queue where it is: a delay that is no longer quiet ends it, below the threshold", () => {
    const met = at(0.98, THRESHOLD - 1, { capacity: 9600, steps: 5, probing: NOW - 0.5, quiet: 1, jitter: 0.5 });
    assert.equal(met.verdict.branch, "met");
    assert.ok(met.side.drain !== undefined && met.verdict.rate < BOUNDS.base);
    // It is no sign of anything while nobody looks for more.
    assert.notEqual(at(0.98, THRESHOLD - 1, { capacity: 11_000, quiet: 1, jitter: 0.5 }).verdict.branch, "met");
    // Nor on a line that wavers as much by itself.
    const wavering = at(0.98, THRESHOLD - 3, { capacity: 9600, steps: 5, probing: NOW - 0.5, quiet: 4, jitter: 4 });
    assert.notEqual(wavering.verdict.branch, "met");
  });

  it("grows faster and faster where nothing is known, as long as the traffic follows", () => {
    const lab = new SluiceLab("download", 5000, {}, { ...BOUNDS, max: Number.POSITIVE_INFINITY });
    lab.run(0.5, { load: 0.3 });
    const before = lab.rate;
    const factors: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const rate = lab.rate;
      lab.tick({ load: 1 });
      if (lab.branch === "grow") factors.push(lab.rate / rate);
    }
    assert.ok(factors.length >= 6);
    factors.slice(1).forEach((factor, i) => assert.ok(factor >= factors[i]! - 0.001, factors.join(" ")));
    assert.ok(factors[0]! < 1.06 && factors.at(-1)! > 1.1 && factors.at(-1)! < 1.2);
    assert.ok(lab.rate > 1.8 * before);
  });

  it("waits for traffic that does not follow", () => {
    const { verdict } = at(0.88, 0);
    assert.deepEqual(
      [verdict.branch, verdict.rate, verdict.blocked],
      ["hold", BOUNDS.base, "the traffic does not follow"],
    );
  });

  it("goes carefully about a capacity that it found before", () => {
    const past = [{ at: NOW - 20, capacity: 10_500 }];
    const { side, verdict } = at(0.99, 0, { past, beyond: 4 });
    assert.equal(verdict.branch, "remembered");
    assert.equal(side.capacity, 10_500);
    within(verdict.rate, BOUNDS.base, 10_500);
    assert.deepEqual([side.steps, side.beyond, side.expected], [0, 0, 0]);
    const far = at(0.99, 0, { past: [{ at: NOW - 20, capacity: 30_000 }] });
    assert.equal(far.verdict.branch, "grow", "it is not there yet");
    const below = at(0.99, 0, { past: [{ at: NOW - 20, capacity: 5000 }] });
    assert.equal(below.verdict.branch, "grow", "it is past that");
  });

  it("never goes down, and always says what kept it", () => {
    for (const load of [0.85, 0.95, 1])
      for (const capacity of [undefined, 5000, 9000, 9900, 10_400, 20_000])
        for (const expected of [0, 1]) {
          const { verdict } = at(load, 0, { capacity, expected });
          assert.ok(verdict.rate >= BOUNDS.base, `${verdict.branch} to ${verdict.rate}`);
          if (verdict.rate === BOUNDS.base) assert.ok(verdict.branch === "probe" || verdict.blocked !== undefined);
        }
  });

  it("finds a line that became faster", () => {
    for (const direction of ["download", "upload"] as const) {
      const lab = new SluiceLab(direction, 8000);
      lab.runOver(8000, 10);
      lab.runOver(20_000, 5);
      let carried = 0;
      for (let i = 0; i < 50; i += 1) {
        lab.runOver(20_000, 0.1);
        carried += Math.min(20_000, lab.rate) / 50;
      }
      assert.ok(carried > 0.9 * 20_000, `${direction}: ${carried} kbit/s`);
      assert.ok(lab.rate < 1.2 * 20_000);
    }
  });

  it("leaves a line that stays as it is nearly all of the time below its threshold", () => {
    for (const direction of ["download", "upload"] as const) {
      const lab = new SluiceLab(direction, 8000);
      lab.runOver(8000, 10);
      let [late, sent] = [0, 0];
      for (let i = 0; i < 600; i += 1) {
        lab.runOver(8000, 0.1);
        if (lab.queue * 1000 > 2 * THRESHOLD) late += 1;
        sent += Math.min(8000, lab.rate) / 600;
      }
      assert.ok(late < 30, `${late} of 600 ticks`);
      assert.ok(sent > 0.93 * 8000, `${sent} kbit/s`);
    }
  });
});

describe("what counts as traffic", () => {
  it("is more than the active rate", () => {
    const low = at(activeRate / BOUNDS.base - 0.01, 0, {}, { rate: 9000 });
    assert.equal(low.verdict.branch, "idle");
    assert.equal(at(0.3, 0, {}, { rate: 9000 }).verdict.branch, "hold");
  });
});
