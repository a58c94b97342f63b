import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pacer, type Turn } from "./pacer.ts";

const round = (size: number): Turn[] => Array.from({ length: size }, (_, i) => ({ address: `${i}`, kind: "echo" }));

/** When probes leave, by timers that are late by `late(i)`. */
function leave(pacer: Pacer, sizes: (index: number) => number, until: number, late: (i: number) => number): number[] {
  const times: number[] = [];
  for (let i = 0, rounds = 0; pacer.due < until; i += 1) {
    const now = pacer.due + late(i);
    if (pacer.isOver) pacer.begin(round(sizes(rounds++)));
    if (pacer.next(now)) times.push(now);
  }
  return times;
}
const gaps = (times: readonly number[]): number[] => times.slice(1).map((time, i) => time - times[i]!);

describe("the pacer", () => {
  it("spaces a round evenly over the interval", () => {
    const times = leave(
      new Pacer(300, 1000),
      () => 6,
      2200,
      () => 0,
    );
    assert.equal(times.length, 24);
    for (const gap of gaps(times)) assert.equal(gap, 50);
  });

  it("keeps the pace although timers are late", () => {
    const times = leave(
      new Pacer(300, 0),
      () => 6,
      30_000,
      (i) => i % 3,
    );
    assert.ok(Math.abs(times.length - 600) <= 1, `${times.length} in 30 s`);
  });

  it("never sends two within five milliseconds, however many there are and however late it is", () => {
    const late = (i: number): number => (i % 50 === 7 ? 400 : i % 4);
    for (const size of [1, 6, 26, 200]) {
      const times = leave(new Pacer(300, 0), () => size, 20_000, late);
      assert.ok(Math.min(...gaps(times)) >= 4.999, `${size}: ${Math.min(...gaps(times))}`);
    }
  });

  it("does not make up for what was missed", () => {
    const times = leave(
      new Pacer(300, 0),
      () => 6,
      10_000,
      (i) => (i === 20 ? 3000 : 0),
    );
    assert.ok(times.length < 145, `${times.length} probes in 10 s, 3 of which were missed`);
  });

  it("goes from round to round with other sizes, and through empty ones", () => {
    const sizes = [2, 0, 3];
    const pacer = new Pacer(300, 0);
    const times = leave(
      pacer,
      (index) => sizes[index % 3]!,
      900,
      () => 0,
    );
    assert.deepEqual(times, [0, 150, 600, 700, 800]);
  });
});
