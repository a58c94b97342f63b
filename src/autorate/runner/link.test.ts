/** The loop with parts made by hand: what is decided is written within the bounds, in each direction by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BOUNDS,
  decision,
  LinkBench,
  linkConfig,
  MemoryTarget,
  PlannedTarget,
} from "../../../test/helpers/link-bench.ts";
import { both, type Direction, DIRECTIONS } from "../../core/both.ts";
import type { PluginChain } from "./link.ts";

const UP: Record<Direction, Direction> = { download: "upload", upload: "download" };

test("the start is written at once, and then what is decided, when it changes", async () => {
  const bench = new LinkBench();
  await bench.tick();
  assert.deepEqual([bench.targets.download?.asked, bench.targets.upload?.asked], [[16_000], [4000]]);
  assert.deepEqual(bench.last.written, ["download", "upload"]);
  assert.equal(bench.last.input, undefined, "nothing is measured by one look");
  await bench.tick(3);
  assert.deepEqual(bench.targets.download?.asked, [16_000]);
  bench.decide = () => decision({ download: 17_000.9, upload: 4000 });
  await bench.tick(2);
  assert.deepEqual([bench.targets.download?.asked, bench.targets.upload?.asked], [[16_000, 17_000], [4000]]);
  assert.equal(bench.runner.rates.download, 17_000);
  assert.deepEqual(bench.last.wanted, { download: 17_000, upload: 4000 });
});

test("the controller is told what was sent, and what share of the rates that is", async () => {
  const bench = new LinkBench();
  bench.traffic = { download: 8000, upload: 3000 };
  bench.delta = 7;
  await bench.tick(3);
  const input = bench.inputs.at(-1)!;
  assert.equal(input.tick, 3);
  assert.ok(Math.abs(input.elapsed - 0.1) < 1e-9);
  const { download, upload } = input.directions;
  assert.ok(Math.abs(download.achieved - 8000) < 1 && Math.abs(download.load - 0.5) < 1e-4);
  assert.ok(Math.abs(upload.load - 0.75) < 1e-4);
  assert.deepEqual(download.deltas, [7, 7, 7]);
  assert.deepEqual([download.bounds, upload.bounds], [BOUNDS.download, BOUNDS.upload]);
  assert.equal(download.bytes, 200_000, "since the first look");
  assert.equal(input.samples.length, 1);
  assert.deepEqual(bench.last.input, input, "the record has what the controller was told");
});

test("bounds hold, whatever is decided", async () => {
  const bench = new LinkBench();
  await bench.tick();
  for (const [wanted, down, up] of [
    [1e9, 40_000, 1e9],
    [Number.NaN, 4000, 1000],
    [-5, 4000, 1000],
    [Number.POSITIVE_INFINITY, 40_000, 1000],
  ] as const) {
    bench.decide = () => decision(both(() => wanted));
    await bench.tick();
    assert.deepEqual(bench.runner.rates, { download: down, upload: up }, String(wanted));
  }
});

for (const only of DIRECTIONS)
  test(`${only} alone`, async () => {
    const { directions } = linkConfig();
    const target = new MemoryTarget("cake on wan");
    const bench = new LinkBench({
      config: { directions: { [only]: directions[only]! } },
      targets: { [only]: target },
      start: { download: 0, upload: 0, [only]: 5000 },
    });
    bench.decide = ({ directions: { [only]: side } }) => decision(both(() => side.rate + 500));
    await bench.tick(3);
    assert.deepEqual(target.asked, [5000, 5500, 6000]);
    const absent = bench.inputs.at(-1)!.directions[UP[only]];
    assert.deepEqual([absent.achieved, absent.load, absent.bytes], [0, 0, 0]);
    assert.deepEqual(bench.last.written, [only]);
    assert.equal(bench.last.state, "running");
    bench.answering = false;
    await bench.pass(3);
    assert.equal(bench.last.state, "blind", "its traffic is enough to tell that the line lives");
  });

test("monitored only, it is measured and decided, and never written", async () => {
  const { directions } = linkConfig();
  const download = { ...directions.download!, adjust: false };
  const bench = new LinkBench({ config: { directions: { ...directions, download }, restore: true } });
  const target = bench.targets.download!;
  bench.decide = () => decision({ download: 9000, upload: 4500 });
  await bench.tick(3);
  assert.equal(bench.inputs.at(-1)!.directions.download.rate, 77_000, "what is there counts");
  assert.deepEqual(bench.last.wanted, { download: 9000, upload: 4500 });
  assert.deepEqual(bench.last.rates, { download: 77_000, upload: 4500 });
  assert.ok(!bench.records.some(({ written }) => written.includes("download")));
  target.rate = 66_000;
  await bench.tick();
  assert.equal(bench.last.rates.download, 66_000);
  assert.deepEqual(bench.happened("foreign"), [], "whoever sets it may");
  target.asked.length = 0;
  await bench.runner[Symbol.asyncDispose]();
  assert.deepEqual(target.asked, [], "nothing is restored, either");
  assert.equal(bench.targets.upload!.rate, BOUNDS.upload.base);
});

/** Plugins that do the same at every call. */
const chain = (
  make: (...call: Parameters<PluginChain["process"]>) => Awaited<ReturnType<PluginChain["process"]>>,
): PluginChain => ({ process: (call) => Promise.try(() => make(call)) });

test("plugins come after the controller and before the bounds, and thresholds last", async () => {
  const seen: number[] = [];
  const plugins = chain(({ input, decision: decided }) => {
    if (input.directions.download.deltas.length === 0) return undefined;
    seen.push(input.directions.download.threshold);
    return {
      rates: { download: decided.download.rate * 100, upload: decided.upload.rate + 0.5 },
      thresholds: { download: 30, upload: input.directions.upload.threshold },
      notes: ["a plugin spoke"],
    };
  });
  const bench = new LinkBench({ plugins });
  await bench.tick(3);
  assert.deepEqual(bench.runner.rates, { download: 40_000, upload: 4000 });
  assert.deepEqual(seen, [15, 30]);
  assert.deepEqual(bench.runner.thresholds, { download: 30, upload: 15 });
  assert.deepEqual(bench.last.notes, ["a plugin spoke"]);
  bench.answering = false;
  await bench.tick();
  assert.equal(seen.length, 2);
  assert.deepEqual(bench.last.notes, [], "without data they have no say");
  assert.deepEqual(bench.runner.thresholds, { download: 30, upload: 15 });
  bench.answering = true;
  await bench.tick();
  assert.equal(bench.inputs.at(-1)!.directions.download.threshold, 30);
});

test("plugins that fail as a whole change nothing", async () => {
  const plugins = chain(() => {
    throw new Error("out of threads");
  });
  const bench = new LinkBench({ plugins });
  bench.decide = () => decision({ download: 9000, upload: 4500 });
  await bench.tick(2);
  assert.deepEqual(bench.runner.rates, { download: 9000, upload: 4500 });
  assert.deepEqual(bench.last.notes, ["the plugins failed: out of threads"]);
});

test("a controller that throws, at once or later, leaves the rates as they are, and is asked again", async () => {
  const bench = new LinkBench();
  await bench.tick(2);
  bench.decide = () => {
    throw new Error("division by nothing");
  };
  await bench.tick();
  bench.decide = () => Promise.reject(new Error("too late"));
  await bench.tick();
  assert.deepEqual(
    bench.happened("controller-failed").map(({ reason }) => reason),
    ["division by nothing", "too late"],
  );
  assert.deepEqual(bench.last.notes, ["the controller failed: too late"]);
  assert.equal(bench.last.decision, undefined);
  assert.ok(bench.last.input, "what it was told is kept all the same");
  bench.decide = () => decision({ download: 9000, upload: 4500 });
  await bench.tick();
  assert.equal(bench.targets.download!.rate, 9000);
});

test("a wish for other reflectors is handed on", async () => {
  const bench = new LinkBench();
  bench.decide = () => decision({ download: 9000, upload: 4500 }, { reselect: true });
  await bench.tick(4);
  assert.equal(bench.ear.wishes, 3);
});

test("when sluice stops, base is set where it is asked for, and only what was driven is touched", async () => {
  for (const restore of [true, false]) {
    const bench = new LinkBench({ config: { restore } });
    bench.targets.upload!.absence = "gone";
    await bench.tick(2);
    await bench.runner[Symbol.asyncDispose]();
    assert.equal(bench.targets.download!.rate, restore ? BOUNDS.download.base : 16_000);
    assert.deepEqual(bench.targets.upload!.asked, []);
    assert.ok(bench.targets.download!.disposed && bench.targets.upload!.disposed);
  }
});

test("a base that cannot be set at the end is told, and does not keep the other direction", async () => {
  const bench = new LinkBench({ config: { restore: true } });
  await bench.tick(2);
  bench.targets.download!.refusal = "no room";
  await bench.runner[Symbol.asyncDispose]();
  assert.match(bench.happened("write-failed")[0]!.reason, /^Cannot set tbf on ifb4wan to 20000000: no room$/);
  assert.equal(bench.targets.upload!.rate, BOUNDS.upload.base);
  assert.ok(bench.targets.download!.disposed);
});

test("retired, a target goes back to who planned it, or to base, or is left to the link that follows", async () => {
  const planned = (): PlannedTarget => new PlannedTarget('site "Tower"');
  const targets = { download: planned(), upload: planned() };
  const bench = new LinkBench({ config: { restore: true }, targets });
  await bench.tick(2);
  bench.runner.retire({ download: "returned", upload: "kept" });
  await bench.runner[Symbol.asyncDispose]();
  assert.deepEqual([targets.download.released, targets.upload.released], [1, 0]);
  assert.deepEqual([targets.download.rate, targets.upload.rate], [16_000, 4000], "no base in between");

  const plain = new LinkBench({ config: { restore: true } });
  await plain.tick(2);
  plain.runner.retire(both(() => "returned"));
  await plain.runner[Symbol.asyncDispose]();
  assert.equal(plain.targets.download!.rate, BOUNDS.download.base, "nobody else has a plan for it");
});

test("safe rates are the controller's", () => {
  assert.deepEqual(new LinkBench().runner.history(), { download: [16_000], upload: [4000] });
});
