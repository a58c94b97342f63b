import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type BaselineState,
  type BaselineStep,
  collectDeltas,
  halved,
  type Measured,
  parted,
  step,
} from "./baseline.ts";

const REAL = { kind: "real" } as const;

/** An answer of a reflector 10 ms up and 5 ms down, with queues and a clock that is ahead (ms). */
const sample = (received: number, { up = 0, down = 0, clock = 0 } = {}): Measured => ({
  received,
  owd: { upload: 10 + up + clock, download: 5 + down - clock },
  rtt: 15 + up + down,
});

/** Takes answers in, twice a second from `from` on. */
function run(
  state: BaselineState | undefined,
  from: number,
  seconds: number,
  how: (time: number) => Parameters<typeof sample>[1],
): BaselineStep {
  let last: BaselineStep | undefined;
  for (let time = from; time < from + seconds; time += 0.5) {
    last = step(last?.state ?? state, sample(time, how(time)), REAL);
  }
  return last!;
}

const near = (actual: number, wanted: number, by: number, what: string): void =>
  assert.ok(Math.abs(actual - wanted) <= by, `${what}: ${actual}, wanted ${wanted} within ${by}`);

const quiet = run(undefined, 0, 60, () => ({}));

describe("queues", () => {
  it("are told apart by direction, at once in the answer and soon in the mean", () => {
    const once = step(quiet.state, sample(60, { up: 50 }), REAL);
    near(once.delta.upload, 50, 0.3, "this answer, up");
    near(once.delta.download, 0, 0.3, "this answer, down");
    const later = run(quiet.state, 60, 3, () => ({ down: 80 }));
    near(later.state.delta.download, 80, 2, "the mean, down");
    near(later.state.delta.upload, 0, 0.1, "the mean, up");
    const gone = run(later.state, 63, 3, () => ({}));
    near(gone.state.delta.download, 0, 2, "the mean afterwards");
  });

  it("that stand are forgotten as slowly as upstream forgets them", () => {
    const { state } = run(quiet.state, 60, 135, () => ({ up: 50 }));
    near(state.owd.upload.base, 35, 0.5, "half of it after the half life");
  });

  it("are the same whether some answers are lost or none", () => {
    const all = run(quiet.state, 60, 4, () => ({ up: 30 }));
    let some = quiet;
    for (const time of [60, 62.5, 63.5]) some = step(some.state, sample(time, { up: 30 }), REAL);
    near(some.state.owd.upload.base, all.state.owd.upload.base, 1e-9, "the baseline");
    near(some.state.owd.upload.recent, all.state.owd.upload.recent, 1e-9, "the mean");
  });

  it("of more than five seconds leave the baseline alone", () => {
    const late = step(quiet.state, sample(60.5, { down: 8000 }), REAL);
    assert.equal(late.reselect, true);
    near(late.delta.download, 8000, 1, "this answer");
    near(late.state.owd.download.base, 5, 1e-9, "the baseline");
    const next = step(late.state, sample(61, { down: 8200 }), REAL);
    near(next.delta.download, 8200, 1, "the next one");
    near(next.state.rtt.base, 15, 1e-9, "the round trip's");
  });

  it("are there already for a reflector that comes while others see them", () => {
    const queued = { download: 0, upload: 60 };
    const { state, delta } = step(undefined, sample(0, { up: 60 }), { kind: "real", queued });
    assert.deepEqual(delta, queued);
    assert.deepEqual([state.owd.upload.base, state.rtt.base], [10, 15]);
    const greedy = step(undefined, sample(0), { kind: "real", queued: { download: 100, upload: 300 } });
    near(greedy.state.rtt.base, 1.5, 1e-9, "a tenth of the round trip is left in any case");
    const none = step(undefined, sample(0), { kind: "real", queued: { download: -3, upload: 0 } });
    assert.equal(none.state.rtt.base, 15);
  });

  it("that the others only seemed to see are soon not believed in any more", () => {
    let { state } = step(undefined, sample(0), { kind: "real", queued: { download: 0, upload: 13 } });
    assert.ok(state.owd.upload.base < 0);
    for (let time = 0.3; time < 5; time += 0.3)
      ({ state } = step(state, sample(time), {
        kind: "real",
        queued: { download: 0, upload: 13 * 0.5 ** (time / 0.4) },
      }));
    near(state.delta.upload, 0, 1, "what is left of it");
    near(state.rtt.base, 15, 1, "the round trip");
  });

  it("that the others do see go on to be believed in while there are others that know", () => {
    const queued = { download: 0, upload: 60 };
    let { state } = step(undefined, sample(0, { up: 60 }), { kind: "real", queued });
    for (let time = 0.3; time < 9; time += 0.3)
      ({ state } = step(state, sample(time, { up: 60 }), { kind: "real", queued: time < 2 ? queued : undefined }));
    near(state.delta.upload, 60, 3, "the queue");
    near(state.owd.upload.base, 10, 3, "the baseline");
  });
});

describe("clocks", () => {
  it("that are set by an hour do not look like queues, and are followed at once", () => {
    for (const clock of [3_600_000, -3_600_000, 200, -43_199_000]) {
      const jumped = step(quiet.state, sample(60, { clock }), REAL);
      near(jumped.clockStep!, clock, 0.1, "the step");
      for (const delta of [jumped.delta, jumped.state.delta]) {
        near(delta.upload, 0, 0.1, `up, ${clock}`);
        near(delta.download, 0, 0.1, `down, ${clock}`);
      }
      const loaded = run(jumped.state, 60.5, 3, () => ({ clock, up: 40 }));
      assert.equal(loaded.clockStep, undefined);
      near(loaded.delta.upload, 40, 1, `queues afterwards, up, ${clock}`);
      near(loaded.delta.download, 0, 0.1, `queues afterwards, down, ${clock}`);
    }
  });

  it("that are set while there is a queue leave it where it was", () => {
    const loaded = run(quiet.state, 60, 3, () => ({ down: 100 }));
    const jumped = run(loaded.state, 63, 3, () => ({ down: 100, clock: 5000 }));
    near(jumped.delta.download, 100, 4, "down");
    near(jumped.delta.upload, 0, 3, "up");
    const after = run(jumped.state, 66, 3, () => ({ clock: 5000 }));
    near(after.state.delta.download, 0, 2, "down, afterwards");
  });

  it("that drift cost no more than the stamps' own error", () => {
    let worst = 0;
    let { state } = quiet;
    // Two minutes a day, and that is a bad clock.
    for (let time = 60; time < 1260; time += 0.5) {
      const taken = step(state, sample(time, { clock: (time - 60) * (120_000 / 86_400) }), REAL);
      ({ state } = taken);
      for (const { upload, download } of [taken.delta, state.delta]) worst = Math.max(worst, upload, download);
    }
    assert.ok(worst <= 2.001, `${worst} ms of delay that is not there`);
    const loaded = run(state, 1260, 3, () => ({ clock: 1666, down: 60 }));
    near(loaded.delta.download, 60, 4, "a queue that is there");
  });

  it("that lie in every answer give no direction more than the round trip grew by", () => {
    const ms = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const answer = fc.record({ up: ms, down: ms, rtt: fc.double({ min: 0.01, max: 9000, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 2, maxLength: 30 }), (answers) => {
        let state: BaselineState | undefined;
        for (const [index, { up, down, rtt }] of answers.entries()) {
          const taken = step(state, { received: index / 2, owd: { upload: up, download: down }, rtt }, REAL);
          ({ state } = taken);
          for (const direction of ["upload", "download"] as const) {
            assert.ok(taken.delta[direction] <= Math.max(0, rtt - state.rtt.base) + 2);
            assert.ok(state.delta[direction] <= Math.max(0, state.rtt.recent - state.rtt.base) + 2);
            assert.ok(Number.isFinite(state.owd[direction].base) && Number.isFinite(taken.delta[direction]));
          }
        }
      }),
    );
  });

  it("are not suspected on a line whose delays vary", () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
    let { state } = quiet;
    let steps = 0;
    for (let time = 60; time < 360; time += 0.5) {
      const taken = step(state, sample(time, { up: 40 * random() ** 2, down: 25 * random() ** 2 }), REAL);
      ({ state } = taken);
      if (taken.clockStep !== undefined) steps += 1;
    }
    assert.ok(steps <= 6, `${steps} of 600 answers were taken for a clock that was set`);
  });
});

describe("silence", () => {
  it("does not make the load that ends it the new baseline", () => {
    const back = step(quiet.state, sample(660, { up: 100 }), REAL);
    near(back.delta.upload, 100, 8, "the first answer after ten minutes");
    const calm = run(back.state, 660.5, 2, () => ({}));
    near(calm.state.delta.upload, 0, 8, "when the load is gone");
  });

  it("is followed by half a minute in which a longer way becomes the baseline", () => {
    const back = run(quiet.state, 660, 35, () => ({ up: 30, down: 30 }));
    near(back.state.delta.upload, 0, 5, "up");
    const without = run(quiet.state, 60, 35, () => ({ up: 30, down: 30 }));
    assert.ok(without.state.delta.upload > 20, "without a silence it is a queue");
  });
});

describe("answers out of order", () => {
  it("change nothing but take no harm", () => {
    const early = step(quiet.state, sample(50, { up: 500 }), REAL);
    near(early.delta.upload, 500, 0.1, "it is a late one");
    assert.deepEqual(early.state.owd.upload, quiet.state.owd.upload);
    assert.equal(early.state.last, quiet.state.last);
  });
});

describe("modes", () => {
  it("pass what is known on", () => {
    const half = halved(quiet.state);
    near(half.owd.upload.base, 7.5, 0.01, "half of the round trip");
    const next = step(half, { received: 60, owd: { upload: 17.5, download: 17.5 }, rtt: 35 }, REAL);
    near(next.delta.upload, 10, 0.1, "half of what it grew by");
    const apart = parted(next.state, sample(60.5, { up: 20 }));
    near(apart.owd.upload.base, 20, 0.1, "half of what it is late by, until it is not");
    const after = run(apart, 61, 5, () => ({}));
    near(after.state.owd.upload.base, 10, 0.3, "the baseline found again");
    near(after.state.delta.download, 0, 2, "without a rest");
  });
});

describe("collected deltas", () => {
  it("are of those that answered within two ticks, strictly, ascending", () => {
    const at = (last: number, upload: number, download: number): BaselineState => ({
      ...quiet.state,
      last,
      delta: { upload, download },
    });
    const states = [at(10, 3, 1), at(9.5, 2, 2), at(9, 1, 9), at(2, 0, 0), at(10, -1, 30)];
    assert.deepEqual(collectDeltas(states, 10, 0.5), { upload: [-1, 2, 3], download: [1, 2, 30] });
    assert.deepEqual(collectDeltas([], 10, 0.5), { upload: [], download: [] });
  });
});
