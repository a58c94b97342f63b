import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Pipe } from "./pipe.ts";

const STEP = 0.01;

describe("a pipe", () => {
  it("neither makes bytes nor loses them", () => {
    const moment = fc.record({
      arriving: fc.double({ min: 0, max: 50_000, noNaN: true }),
      rate: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5e6, noNaN: true })),
      limit: fc.double({ min: 0, max: 200_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 200 }), (moments) => {
        const pipe = new Pipe(0, 0);
        let [arrived, left, dropped] = [0, 0, 0];
        for (const { arriving, rate, limit } of moments) {
          const before = pipe.queue;
          pipe.rate = rate;
          pipe.limit = limit;
          left += pipe.step(arriving, STEP);
          arrived += arriving;
          dropped += pipe.dropped;
          assert.ok(pipe.queue >= 0 && pipe.queue <= Math.max(limit, before) + 1e-6, `${pipe.queue} of ${limit} wait`);
          assert.ok(pipe.dropped >= 0 && pipe.dropped <= arriving && pipe.dropShare >= 0 && pipe.dropShare <= 1);
        }
        assert.ok(Math.abs(arrived - left - dropped - pipe.queue) < 1e-6 * (1 + arrived));
        assert.equal(pipe.drained, left);
      }),
    );
  });

  it("hands on at once what it has the rate for", () => {
    const pipe = new Pipe(1e6, 1e5);
    for (let i = 0; i < 100; i += 1) assert.equal(pipe.step(9999, STEP), 9999);
    assert.equal(pipe.queue, 0);
  });

  it("grows by what comes beyond its rate: C = a / (1 + slope)", () => {
    const pipe = new Pipe(1e6, 1e9);
    const delay = (): number => pipe.queue / pipe.rate;
    for (let i = 0; i < 200; i += 1) pipe.step(1.3e6 * STEP, STEP);
    const first = delay();
    for (let i = 0; i < 100; i += 1) pipe.step(1.3e6 * STEP, STEP);
    const slope = delay() - first;
    assert.ok(Math.abs(1.3e6 / (1 + slope) - 1e6) < 1);
  });

  it("tells how long ago a place was left, to less than a step", () => {
    const pipe = new Pipe(1e6, 1e9);
    pipe.step(123_456, 0);
    const place = pipe.tail;
    let now = 0;
    while (pipe.drained < place) {
      assert.equal(pipe.since(place), -1);
      pipe.step(20_000, STEP);
      now += STEP;
    }
    // 123,456 bytes take 123.456 ms.
    assert.ok(Math.abs(now - pipe.since(place) - 0.123456) < 1e-9, `left at ${now - pipe.since(place)}`);
    for (let i = 0; i < 5; i += 1) pipe.step(0, STEP);
    assert.ok(Math.abs(now + 5 * STEP - pipe.since(place) - 0.123456) < 1e-9);
  });

  it("keeps who waits while nothing passes", () => {
    const pipe = new Pipe(1e6, 1e5);
    pipe.step(50_000, 0);
    const place = pipe.tail;
    pipe.rate = 0;
    for (let i = 0; i < 100; i += 1) assert.equal(pipe.step(0, STEP), 0);
    assert.equal(pipe.since(place), -1);
    assert.equal(pipe.since(0), 0, "who is out is out");
    assert.equal(pipe.queue, 50_000);
  });

  it("drops of what comes what it has no room for, and says which share that is", () => {
    const pipe = new Pipe(1e6, 20_000);
    pipe.step(40_000, STEP);
    assert.deepEqual([pipe.queue, pipe.dropped, pipe.dropShare], [20_000, 10_000, 0.25]);
    pipe.step(0, STEP);
    assert.deepEqual([pipe.queue, pipe.dropped, pipe.dropShare], [10_000, 0, 0]);
  });

  it("throws out nobody who waits already when there is less room", () => {
    const pipe = new Pipe(1e6, 100_000);
    pipe.step(90_000, 0);
    pipe.limit = 10_000;
    pipe.step(15_000, STEP);
    assert.deepEqual([pipe.queue, pipe.dropped], [80_000, 15_000]);
  });
});
