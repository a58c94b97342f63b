import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both } from "../../core/both.ts";
import type { Judged, Outstanding } from "../model.ts";
import { Pipe } from "./pipe.ts";
import { pathOf, Probing } from "./probing.ts";
import { seeded } from "./random.ts";
import type { Scenario, SimulatedReflector, Spike } from "./scenario.ts";
import { Transit } from "./transit.ts";

const STEP = 0.01;
const RATE = 1e6;

/** Three reflectors that differ in their clocks. */
const REFLECTORS: readonly SimulatedReflector[] = [
  { address: "192.0.2.1", base: { download: 8, upload: 12 }, offset: 4321.7 },
  { address: "192.0.2.2", base: { download: 8, upload: 12 }, offset: -250.3 },
  { address: "192.0.2.3", base: { download: 20, upload: 20 }, offset: 0 },
];

interface Changes {
  readonly reflectors?: readonly SimulatedReflector[];
  readonly spikes?: readonly Spike[];
  readonly jitter?: number;
}

function scenario({ reflectors = REFLECTORS, spikes = [], jitter = 0 }: Changes): Scenario {
  return {
    name: "test",
    seconds: 60,
    bounds: both(() => ({ min: 1000, base: 8000, max: 16_000 })),
    capacity: both(() => [[0, 8000]]),
    loads: both(() => []),
    buffer: 0.5,
    reflectors,
    jitter,
    spikes,
    watched: "download",
    random: seeded(1),
  };
}

/** A prober on a line of two queues. */
class Line {
  readonly upload = new Pipe(RATE, 1e9);
  readonly download = new Pipe(RATE, 1e9);
  readonly samples: Judged[] = [];
  readonly probing: Probing;
  outstanding: readonly Outstanding[] = [];
  now = 0;
  readonly #transit: Transit;

  constructor(changes: Changes = {}) {
    const made = scenario(changes);
    this.#transit = new Transit(this, pathOf(made), made.random);
    this.probing = new Probing(made, this.#transit);
  }

  /** Lets time pass, with so much traffic of its own, bytes/s. */
  run(seconds: number, up = 0, down = 0): this {
    for (let i = 0; i < Math.round(seconds / STEP); i += 1) {
      this.now += STEP;
      this.upload.step(up * STEP, STEP);
      this.download.step(down * STEP, STEP);
      this.probing.send(this.now);
      this.#transit.step(this.now, (probe) => this.probing.back(probe));
    }
    const { samples, outstanding } = this.probing.take(this.now);
    this.samples.push(...samples);
    this.outstanding = outstanding;
    return this;
  }
}

const near = (actual: number, expected: number, within: number): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);

describe("the prober of a simulated line", () => {
  it("asks the reflectors by turns, each every 0.3 s", () => {
    const { samples } = new Line().run(6);
    assert.ok(Math.abs(samples.length - 60) <= 1, `${samples.length} answers`);
    for (const { address } of REFLECTORS) {
      const sent = samples.filter(({ reflector }) => reflector === address).map((sample) => sample.sent);
      sent.slice(1).forEach((at, i) => near(at - sent[i]!, 0.3, STEP + 1e-9));
    }
    assert.deepEqual(
      samples.map(({ received }) => received),
      samples.map(({ received }) => received).toSorted((a, b) => a - b),
    );
  });

  it("has stamps of whole milliseconds, with the offset of the other clock in them", () => {
    const { samples } = new Line().run(3);
    for (const { reflector, owd, rtt, mode, sent, received } of samples) {
      const { base, offset } = REFLECTORS.find(({ address }) => address === reflector)!;
      assert.equal(mode, "timestamp");
      assert.ok(Number.isInteger(owd.upload) && Number.isInteger(owd.download));
      near(owd.upload, base.upload + offset, 2);
      near(owd.download, base.download - offset, 2);
      near(rtt, base.upload + base.download, 1e-6);
      near((received - sent) * 1000, rtt, 1e-9);
    }
  });

  it("sees a queue in its direction, and only there", () => {
    for (const [up, down] of [
      [2 * RATE, 0],
      [0, 2 * RATE],
    ] as const) {
      const line = new Line().run(5);
      for (const { delta } of line.samples.slice(10))
        assert.ok(Math.abs(delta.upload) <= 2 && Math.abs(delta.download) <= 2);
      const before = line.samples.length;
      line.run(0.1, up, down).run(0.8, up / 2, down / 2);
      const seen = line.samples.slice(before).filter(({ sent }) => sent > line.now - 0.7);
      assert.ok(seen.length >= 3);
      for (const { delta } of seen) {
        near(up > 0 ? delta.upload : delta.download, 100, 6);
        near(up > 0 ? delta.download : delta.upload, 0, 3);
      }
      const deltas = line.probing.deltas(line.now);
      assert.equal(deltas.download.length, 3);
      assert.ok((up > 0 ? deltas.upload : deltas.download)[0]! > 30);
    }
  });

  it("is not told of a queue by stamps that are made up", () => {
    const lying = REFLECTORS.map((reflector) => ({ ...reflector, lies: true }));
    const { samples } = new Line({ reflectors: lying }).run(20);
    const owds = samples.map(({ owd }) => owd.upload);
    assert.ok(Math.max(...owds) - Math.min(...owds) > 500, "they lie");
    // No direction counts for more than what the round trip grew by.
    for (const { delta } of samples.slice(3)) assert.ok(delta.upload <= 2 && delta.download <= 2);
  });

  it("waits for who does not answer, the oldest first, until it gives up", () => {
    const [first, ...others] = REFLECTORS;
    const line = new Line({ reflectors: [{ ...first!, silentFrom: 2 }, ...others] });
    line.run(2);
    assert.ok(line.outstanding.length <= 1, "answers take 40 ms at most");
    line.run(5);
    const waiting = line.outstanding.filter(({ reflector }) => reflector === first!.address);
    assert.ok(Math.abs(waiting.length - 5 / 0.3) < 2, `${waiting.length} are waited for`);
    assert.deepEqual(
      line.outstanding.map(({ sent }) => sent),
      line.outstanding.map(({ sent }) => sent).toSorted((a, b) => a - b),
    );
    for (const { baseline } of waiting) near(baseline!, 20, 1);
    line.run(30);
    assert.ok(line.outstanding.every(({ sent }) => sent >= line.now - 10));
    assert.ok(Math.abs(line.outstanding.length - 10 / 0.3) < 3);
    assert.equal(line.probing.deltas(line.now).upload.length, 2, "who is silent has no delta");
  });

  it("knows no round trip of a reflector that has never answered", () => {
    const silent = REFLECTORS.map((reflector) => ({ ...reflector, silentFrom: 0 }));
    const line = new Line({ reflectors: silent }).run(3);
    assert.equal(line.samples.length, 0);
    assert.ok(line.outstanding.length > 25 && line.outstanding.every(({ baseline }) => baseline === undefined));
  });

  it("waits for nothing of before an answer", () => {
    const line = new Line().run(3);
    // Longer than between two probes, so several of each are under way.
    line.upload.step(RATE, 0);
    line.run(0.95);
    assert.ok(line.outstanding.length > 7, `${line.outstanding.length}`);
    line.run(3);
    assert.ok(line.outstanding.length <= 1);
  });
});

describe("the ways of a simulated line", () => {
  it("are those of the reflector, with jitter on top", () => {
    const path = pathOf(scenario({ jitter: 2 }));
    const ways = Array.from({ length: 5000 }, () => [path.up(2, 1) * 1000, path.down(0, 1) * 1000] as const);
    assert.ok(ways.every(([there, back]) => there >= 20 && back >= 8));
    near(ways.reduce((sum, [there]) => sum + there, 0) / ways.length, 22, 0.2);
    near(ways.reduce((sum, [, back]) => sum + back, 0) / ways.length, 10, 0.2);
  });

  it("are those of the first reflector for the observer, who is always answered", () => {
    const silent = REFLECTORS.map((reflector) => ({ ...reflector, silentFrom: 0 }));
    const path = pathOf(scenario({ reflectors: silent }));
    near(path.up(-1, 1), 0.012, 1e-12);
    near(path.down(-1, 1), 0.008, 1e-12);
    assert.deepEqual([path.answers(-1, 5), path.answers(0, 5)], [true, false]);
  });

  it("are longer while there is a spike, half of it each way", () => {
    const path = pathOf(scenario({ spikes: [{ at: 10, length: 0.5, delay: 100 }] }));
    for (const [now, extra] of [
      [9.99, 0],
      [10, 0.05],
      [10.49, 0.05],
      [10.5, 0],
    ] as const) {
      near(path.up(0, now), 0.012 + extra, 1e-12);
      near(path.down(0, now), 0.008 + extra, 1e-12);
    }
  });
});
