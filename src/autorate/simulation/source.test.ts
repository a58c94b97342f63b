import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constant, type Source, Tcp } from "./source.ts";

const STEP = 0.01;
const SEGMENT = 1448;

/** A source whose data arrives, and is lost now and then. */
class Course {
  readonly source: Source;
  #index = 0;

  constructor(source: Source) {
    this.source = source;
  }

  get now(): number {
    return this.#index * STEP;
  }

  /** Lets time pass; gives what was sent, bytes. @param lost in the first step, bytes */
  run(seconds: number, lost = 0): number {
    let sent = 0;
    let left = lost;
    for (let i = 0; i < Math.round(seconds / STEP); i += 1) {
      this.#index += 1;
      const bytes = this.source.send(this.now, STEP);
      const dropped = Math.min(left, bytes);
      this.source.learn(this.now, bytes - dropped, dropped);
      left -= dropped;
      sent += bytes;
    }
    return sent;
  }

  /** Lets time pass until a time. */
  until(seconds: number): void {
    while (this.now < seconds - STEP / 2) this.run(STEP);
  }
}

const near = (actual: number, expected: number, share: number): void =>
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual} is not ${expected}`);

describe("a constant source", () => {
  it("sends its rate, whatever becomes of it", () => {
    const course = new Course(constant(8000));
    near(course.run(1), 1e6, 1e-9);
    near(course.run(1, 5000), 1e6, 1e-9);
    near(course.run(1), 1e6, 1e-9);
  });
});

describe("TCP", () => {
  it("begins with ten segments per flow, and waits for their answers", () => {
    const tcp = new Tcp(3, 0.1, STEP);
    assert.equal(tcp.send(STEP), 30 * SEGMENT);
    for (let i = 0; i < 50; i += 1) {
      tcp.learn(i * STEP, 0, 0);
      assert.equal(tcp.send(i * STEP), 0, "nothing was delivered, so nothing more is sent");
    }
  });

  it("doubles its window with each round trip at first", () => {
    const course = new Course(new Tcp(1, 0.1, STEP));
    const trips = Array.from({ length: 6 }, () => course.run(0.1) / SEGMENT);
    trips.forEach((segments, i) => near(segments, 10 * 2 ** i, 1e-9));
  });

  it("stops at its largest window", () => {
    const course = new Course(new Tcp(1, 0.1, STEP, 100 * SEGMENT));
    course.run(2);
    near(course.run(0.1), 100 * SEGMENT, 1e-9);
  });

  /** One that has 1600 segments under way and loses one of them: its window before and after. */
  function afterLoss(roundTrip: number): { readonly course: Course; readonly window: number } {
    const course = new Course(new Tcp(4, roundTrip, STEP, 400 * 4 * SEGMENT));
    course.until(20 * roundTrip);
    const window = course.run(roundTrip);
    near(window, 1600 * SEGMENT, 1e-9);
    course.run(roundTrip, SEGMENT);
    return { course, window };
  }

  it("goes to 70 % after a loss, and is back after the cube root of (1 - beta) W / C (RFC 9438)", () => {
    const { course, window } = afterLoss(0.2);
    const lost = course.now - 0.2;
    const k = Math.cbrt((400 * 0.3) / 0.4);
    for (const share of [0.06, 0.2, 0.5, 0.8, 1, 1.2]) {
      course.until(lost + share * k - 0.1);
      near(course.run(0.2) / window, 1 - 0.3 * (1 - share) ** 3, 0.04);
    }
  });

  it("takes what is lost within a round trip for one loss", () => {
    const [once, twice, again] = [0.2, 0.2, 0.2].map((roundTrip) => afterLoss(roundTrip).course);
    once!.run(0.05);
    twice!.run(0.05, SEGMENT);
    again!.run(0.05);
    const [one, two, three] = [once!, twice!, again!].map((course) => {
      course.run(0.4, course === again ? SEGMENT : 0);
      return course.run(0.2);
    });
    assert.ok(two! > 0.98 * one!, `${two} after losses at once, ${one} after one`);
    assert.ok(three! < 0.85 * one!, `${three} after a loss later, ${one} after one`);
  });

  it("grows by about half a segment per round trip where that is more", () => {
    // On a short way a Reno is faster than the cubic function (RFC 9438, section 4.3).
    const course = new Course(new Tcp(1, 0.02, STEP, 20 * SEGMENT));
    course.until(1);
    course.run(0.02, SEGMENT);
    course.run(0.04);
    const low = course.run(0.02) / SEGMENT;
    const step = (3 * 0.3) / 1.7;
    near(low, 14 + 3 * step, 0.03);
    course.run(0.08);
    near(course.run(0.02) / SEGMENT, low + 5 * step, 0.03);
  });

  it("keeps two segments per flow whatever is lost", () => {
    const course = new Course(new Tcp(2, 0.1, STEP));
    for (let i = 0; i < 100; i += 1) course.run(0.2, 1e9);
    const after = course.run(0.5);
    assert.ok(after >= 4 * SEGMENT, `${after} bytes`);
  });
});
