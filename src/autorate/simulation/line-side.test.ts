import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both, type Direction } from "../../core/both.ts";
import { LineSide } from "./line-side.ts";
import type { Load, Scenario, Steps } from "./scenario.ts";
import { seeded } from "./random.ts";

const STEP = 0.01;

/** A line with one capacity (kbit/s) and one load in both directions. */
function scenario(loads: readonly Load[], capacity: Steps = [[0, 8000]]): Scenario {
  return {
    name: "test",
    seconds: 100,
    bounds: both(() => ({ min: 1000, base: 8000, max: 16_000 })),
    capacity: both(() => capacity),
    loads: both(() => loads),
    buffer: 0.5,
    reflectors: [{ address: "192.0.2.1", base: both(() => 10), offset: 0 }],
    jitter: 0,
    spikes: [],
    watched: "download",
    random: seeded(1),
  };
}

const udp = (rate: number, from = 0, to = 100): Load => ({ from, to, kind: "udp", rate });

/** Lets time pass. @returns what was carried, kbit/s */
function run(side: LineSide, from: number, to: number): number {
  const before = side.carried;
  for (let i = Math.round(from / STEP) + 1; i <= Math.round(to / STEP); i += 1) side.step(i * STEP);
  return ((side.carried - before) * 8) / 1000 / (to - from);
}

const near = (actual: number, expected: number, within = 1e-6): void =>
  assert.ok(Math.abs(actual - expected) <= within * Math.abs(expected), `${actual} is not ${expected}`);
const BOTH: readonly Direction[] = ["download", "upload"];

describe("one direction of a line", () => {
  it("carries what is sent as long as it can, without a queue", () => {
    for (const direction of BOTH) {
      const side = new LineSide(scenario([udp(5000)]), direction, STEP);
      near(run(side, 0, 5), 5000);
      assert.equal(side.line.queue, 0);
      near(side.sent, side.carried);
    }
  });

  it("fills its buffer with what is too much, and carries what it can", () => {
    for (const direction of BOTH) {
      const side = new LineSide(scenario([udp(12_000)]), direction, STEP);
      run(side, 0, 5);
      near(run(side, 5, 10), 8000);
      near(side.line.queue, 0.5 * 1e6);
    }
  });

  it("has the queue in the shaper when that is slower: at once for upload, when it is drained for download", () => {
    const upload = new LineSide(scenario([udp(12_000)]), "upload", STEP);
    upload.shape(6000);
    near(run(upload, 0, 5), 6000);
    assert.equal(upload.line.queue, 0);
    // Of a download the line has what UDP sends, whatever the shaper behind it does: it is counted where it comes out.
    const download = new LineSide(scenario([udp(12_000)]), "download", STEP);
    download.shape(6000);
    near(run(download, 0, 5), 8000, 0.01);
    near(download.sent, (6000 / 8) * 1000 * 5);
    assert.ok(download.line.queue > 0);
  });

  it("makes TCP follow a shaper behind the line", () => {
    const side = new LineSide(scenario([{ from: 0, to: 100, kind: "tcp", flows: 2 }]), "download", STEP);
    side.shape(6000);
    run(side, 0, 20);
    near(run(side, 20, 40), 6000, 0.03);
    assert.ok(side.line.queue / 1e6 < 0.005, `${side.line.queue} bytes wait in the line`);
  });

  it("has another capacity from the time on that the scenario says", () => {
    const steps: Steps = [
      [0, 8000],
      [2, 3000],
      [4, 0],
      [6, 9000],
    ];
    const side = new LineSide(scenario([udp(20_000)], steps), "upload", STEP);
    const rates = [0, 2, 4, 6].map((from) => run(side, from, from + 2));
    // The step in which it changes has the new one already.
    [8000, 3000, 0, 9000].forEach((rate, i) =>
      assert.ok(Math.abs(rates[i]! - rate) <= 50, `${rates[i]} is not ${rate}`),
    );
    assert.equal(side.line.limit, 0.5e6, "the buffer keeps its bytes");
  });

  it("sends from a load's beginning to its end, and drains then", () => {
    const side = new LineSide(scenario([udp(4000, 1, 2), udp(12_000, 3, 4)]), "upload", STEP);
    assert.equal(run(side, 0, 0.9), 0);
    near(run(side, 0.9, 2.5), (4000 * 1) / 1.6, 0.02);
    near(run(side, 2.5, 10), (12_000 * 1) / 7.5, 0.02);
    assert.equal(side.line.queue, 0);
  });
});
