/** The loop when it does not hear the line: at the start, while it is silent, dead, or asleep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS, decision, LinkBench } from "../../../test/helpers/link-bench.ts";
import type { OnSilence } from "../config.ts";

const QUIET = { download: 5, upload: 5 };

test("until the first answer nothing is decided", async () => {
  const bench = new LinkBench();
  bench.answering = false;
  await bench.pass(9.9);
  assert.equal(bench.last.state, "starting");
  assert.deepEqual(bench.last.notes, ["no reflector has answered yet"]);
  assert.deepEqual(bench.inputs, []);
  assert.equal(bench.targets.download!.rate, 16_000);
  bench.answering = true;
  await bench.tick();
  assert.equal(bench.last.state, "running");
  assert.equal(bench.inputs.length, 1);
});

test("after ten seconds without a first answer the line is blind, or dead", async () => {
  for (const [traffic, state] of [
    [{ download: 900, upload: 90 }, "blind"],
    [QUIET, "stalled"],
    [{ download: 900, upload: 5 }, "stalled"],
  ] as const) {
    const bench = new LinkBench();
    bench.answering = false;
    bench.traffic = traffic;
    await bench.pass(10.2);
    assert.equal(bench.last.state, state, JSON.stringify(traffic));
  }
});

test("a line that goes silent is blind while traffic flows, stalled when it does not, and comes back", async () => {
  const bench = new LinkBench();
  await bench.pass(2);
  bench.answering = false;
  await bench.pass(1.4);
  assert.equal(bench.last.state, "running", "five intervals of probes are waited for");
  await bench.pass(0.3);
  assert.equal(bench.last.state, "blind");
  bench.traffic = QUIET;
  const asked = bench.inputs.length;
  bench.decide = () => decision({ download: 1, upload: 1 });
  await bench.tick(3);
  assert.equal(bench.last.state, "stalled");
  assert.equal(bench.inputs.length, asked, "of a dead line nothing is judged");
  assert.deepEqual(bench.last.rates, { download: 16_000, upload: 4000 });
  assert.match(bench.last.notes[0]!, /neither answers nor traffic/);
  bench.answering = true;
  await bench.tick();
  assert.equal(bench.last.state, "running");
});

for (const [onSilence, wanted] of [
  ["hold", { download: 19_000, upload: 5100 }],
  ["base", { download: 19_000, upload: BOUNDS.upload.base }],
  ["min", { download: BOUNDS.download.min, upload: BOUNDS.upload.min }],
] satisfies [OnSilence, object][])
  test(`after ten seconds of silence: ${onSilence}`, async () => {
    const bench = new LinkBench({ config: { onSilence } });
    await bench.pass(1);
    bench.answering = false;
    // Before that it is the controller's affair.
    bench.decide = () => decision({ download: 19_000, upload: 5100 });
    await bench.pass(9.8);
    assert.equal(bench.last.state, "blind");
    assert.deepEqual(bench.last.rates, { download: 19_000, upload: 5100 });
    await bench.pass(0.4);
    // A controller that goes on without seeing anything has no say any more.
    bench.decide = () => decision({ download: 4321, upload: 4321 });
    await bench.pass(1);
    assert.deepEqual(bench.last.rates, wanted);
    bench.answering = true;
    await bench.tick();
    assert.deepEqual(bench.last.rates, { download: 4321, upload: 4321 });
  });

test("without traffic nobody is asked, and traffic wakes it without a false alarm", async () => {
  const bench = new LinkBench({ config: { idleSleep: 30 } });
  await bench.pass(5);
  bench.traffic = QUIET;
  await bench.pass(29.8);
  assert.equal(bench.last.state, "running");
  await bench.pass(0.3);
  assert.equal(bench.last.state, "idle");
  assert.deepEqual(bench.ear, { paused: true, pauses: 1, wishes: 0 });
  const asked = bench.inputs.length;
  await bench.pass(300);
  assert.deepEqual([bench.last.state, bench.ear.pauses, bench.inputs.length], ["idle", 1, asked]);
  assert.deepEqual(bench.last.notes, ["without traffic"]);
  assert.deepEqual(bench.last.rates, { download: 16_000, upload: 4000 });
  // Enough in one direction is enough.
  bench.traffic = { download: 5, upload: 600 };
  bench.answering = false;
  await bench.pass(1.4);
  assert.deepEqual(bench.states, ["running", "idle", "running"], "it is awake, and answers are awaited");
  assert.equal(bench.ear.paused, false);
  await bench.pass(0.3);
  assert.equal(bench.last.state, "stalled");
  bench.answering = true;
  await bench.tick();
  assert.equal(bench.last.state, "running");
});

test("a sleep that is switched off never comes", async () => {
  const bench = new LinkBench({ config: { idleSleep: 0 } });
  bench.traffic = QUIET;
  await bench.pass(200);
  assert.deepEqual(bench.states, ["running"]);
});

test("one that sleeps and loses its targets is asked of again when they are back", async () => {
  const bench = new LinkBench({ config: { idleSleep: 10 } });
  bench.traffic = QUIET;
  await bench.pass(11);
  assert.equal(bench.last.state, "idle");
  for (const target of Object.values(bench.targets)) target.absence = "gone";
  await bench.pass(5);
  assert.equal(bench.last.state, "waiting");
  assert.equal(bench.ear.paused, false);
  for (const target of Object.values(bench.targets)) target.absence = undefined;
  bench.traffic = { download: 9000, upload: 900 };
  await bench.pass(1);
  assert.equal(bench.last.state, "running");
  assert.deepEqual(
    bench.happened("state").filter(({ to }) => to === "blind"),
    [],
  );
});
