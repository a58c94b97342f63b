import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pipe } from "./pipe.ts";
import { seeded } from "./random.ts";
import { type Path, type Probe, Transit } from "./transit.ts";

const STEP = 0.01;
const RATE = 1e6;

/** A line of two queues, with somebody who sends over it. */
class Line {
  readonly upload = new Pipe(RATE, 1e9);
  readonly download = new Pipe(RATE, 1e9);
  readonly back: Probe[] = [];
  readonly transit: Transit;
  now = 0;

  constructor(path: Partial<Path> = {}) {
    const full = { up: () => 0.013, down: () => 0.007, answers: () => true, ...path };
    this.transit = new Transit(this, full, seeded(1));
  }

  /** Sends one now, after all that has come. */
  send(reflector = 0, token = 0): this {
    this.transit.send(reflector, this.now, token);
    this.transit.step(this.now, (probe) => this.back.push(probe));
    return this;
  }

  /** Lets time pass, with so much traffic, bytes/s. */
  run(seconds: number, up = 0, down = 0): this {
    for (let i = 0; i < Math.round(seconds / STEP); i += 1) {
      this.now += STEP;
      this.upload.step(up * STEP, STEP);
      this.download.step(down * STEP, STEP);
      this.transit.step(this.now, (probe) => this.back.push(probe));
    }
    return this;
  }
}

const near = (actual: number, expected: number, within = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);

describe("a probe on its way", () => {
  it("takes the ways there and back when nothing waits", () => {
    const line = new Line();
    const [probe] = line.send(3, 42).run(0.05).back;
    assert.deepEqual([probe!.reflector, probe!.token, probe!.sent], [3, 42, 0]);
    near(probe!.turned, 0.013);
    near(probe!.received, 0.02);
  });

  it("is back no sooner than it can be", () => {
    const line = new Line();
    line.send();
    assert.equal(line.run(0.01).back.length, 0);
    assert.equal(line.run(0.02).back.length, 1);
  });

  it("waits behind what waits when it is sent, not behind what comes after it", () => {
    const line = new Line();
    line.upload.step(150_000, 0);
    line.send();
    line.run(0.3, 2 * RATE);
    near(line.back[0]!.turned, 0.15 + 0.013);
    near(line.back[0]!.received, 0.15 + 0.02);
  });

  it("waits on its way back behind what waits then", () => {
    const line = new Line();
    line.download.step(200_000, 0);
    line.send();
    line.run(0.3);
    near(line.back[0]!.turned, 0.013);
    // It comes within a step, and what came within that before it is known to the step only.
    near(line.back[0]!.received, 0.2 + 0.007, STEP);
  });

  it("waits in a queue that grows for as long as it is when it comes to it", () => {
    const line = new Line();
    line.run(0.1, 0, 1.5 * RATE);
    line.send();
    line.run(0.3, 0, 1.5 * RATE);
    // 50 ms after 100 ms, and 0.5 ms more in each: it comes 13 ms later.
    near(line.back[0]!.received, line.back[0]!.turned + 0.05 + 0.5 * 0.013 + 0.007, STEP / 2);
  });

  it("waits longer when the line gets slower, and stands still with it", () => {
    const line = new Line();
    line.upload.step(100_000, 0);
    line.send();
    line.run(0.05);
    line.upload.rate = 0;
    assert.equal(line.run(1).back.length, 0);
    line.upload.rate = RATE / 2;
    line.run(0.5);
    near(line.back[0]!.turned, 0.05 + 1 + 0.1 + 0.013);
  });

  it("is lost with the share of what is dropped where it comes", () => {
    const [full, half] = [new Line(), new Line()];
    full.upload.limit = 0;
    half.upload.limit = 10_000;
    full.upload.step(1, 0);
    for (const [line, lost] of [
      [full, 1],
      [half, 0.5],
    ] as const) {
      for (let i = 0; i < 1000; i += 1) {
        line.upload.dropShare = lost;
        line.send(0, i);
      }
      line.upload.dropShare = 0;
      line.run(0.1);
    }
    assert.equal(full.back.length, 0);
    assert.ok(Math.abs(half.back.length - 500) < 80, `${half.back.length} of 1000 came`);
  });

  it("is lost on its way back, too", () => {
    const line = new Line();
    line.download.limit = 0;
    line.send();
    line.run(0.1, 0, 1e9);
    assert.ok(line.back.length === 0 && line.download.dropShare > 0.99);
  });

  it("is not answered by who is silent", () => {
    const line = new Line({ answers: (reflector, now) => reflector !== 1 && now < 0.5 });
    for (const reflector of [0, 1, 2]) line.send(reflector);
    line.run(0.6);
    line.send();
    line.run(0.2);
    assert.deepEqual(
      line.back.map(({ reflector }) => reflector),
      [0, 2],
    );
  });

  it("is overtaken by one that has the shorter way, and each has its own times", () => {
    const line = new Line({ up: (reflector) => (reflector === 0 ? 0.2 : 0.02) });
    line.send();
    line.send(1, 1);
    line.run(0.3);
    assert.deepEqual(
      line.back.map(({ token }) => token),
      [1, 0],
    );
    near(line.back[0]!.received, 0.027);
    near(line.back[1]!.received, 0.207);
  });
});
