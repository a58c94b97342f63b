/** Faults on the real kernel: kill -9 at every action, a vanished interface, a store that cannot be written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathsBelow } from "../../src/linux/paths.ts";
import { Shaper } from "../../src/shaper/shaper.ts";
import { crashPoints } from "../helpers/crash-points.ts";
import { shaperPlace } from "../helpers/egress.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { AFTER, BEFORE, ispOfSketch, type Sketch } from "../helpers/sketch.ts";

function applyAndDie(lab: ShapedLab, actions: number, sketch: Sketch): void {
  const script = join(import.meta.dirname, "../helpers/crashing-apply.ts");
  const args = [script, lab.root, lab.lab.router.path, String(actions), JSON.stringify(sketch)];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(signal, "SIGKILL", stderr);
}

/** Classes and qdiscs of both devices, without the numbers that the counters hold. */
const state = (lab: ShapedLab): string[] =>
  lab.lines("for d in lan0 wan0; do tc qdisc show dev $d; tc class show dev $d; done");

test("after kill -9 at each third action of the first build, the next apply completes and the one after has nothing to do", async (t) => {
  using reference = new ShapedLab({ queues: 2 });
  const total = (await reference.apply(ispOfSketch(BEFORE))).length;
  const wanted = state(reference);
  assert.ok(total > 20);
  for (const actions of crashPoints(t, total, 3)) {
    using lab = new ShapedLab({ queues: 2 });
    applyAndDie(lab, actions, BEFORE);
    await lab.apply(ispOfSketch(BEFORE));
    assert.deepEqual(state(lab), wanted, `killed after ${actions} of ${total}`);
    assert.deepEqual(lab.plan(ispOfSketch(BEFORE)), []);
  }
});

test("after kill -9 at any action of a change, the next apply completes it with the same ids", async (t) => {
  using reference = new ShapedLab({ queues: 2 });
  await reference.apply(ispOfSketch(BEFORE));
  const total = (await reference.apply(ispOfSketch(AFTER))).length;
  const wanted = state(reference);
  for (const actions of crashPoints(t, total)) {
    using lab = new ShapedLab({ queues: 2 });
    await lab.apply(ispOfSketch(BEFORE));
    applyAndDie(lab, actions, AFTER);
    await lab.apply(ispOfSketch(AFTER));
    assert.deepEqual(state(lab), wanted, `killed after ${actions} of ${total}`);
    assert.deepEqual(lab.plan(ispOfSketch(AFTER)), []);
  }
});

test("without its store, an apply still ends in the desired state, with new ids beside the old ones", async () => {
  using lab = new ShapedLab({ queues: 2 });
  await lab.apply(ispOfSketch(BEFORE));
  rmSync(dirname(pathsBelow(lab.root).state), { recursive: true });
  await lab.apply(ispOfSketch(AFTER));
  assert.deepEqual(lab.plan(ispOfSketch(AFTER)), []);
});

test("a store that cannot be written stops an apply before the kernel is touched", async () => {
  using lab = new ShapedLab({ queues: 2 });
  const { state: file } = pathsBelow(lab.root);
  mkdirSync(dirname(file), { recursive: true });
  const plan = lab.shaper.plan(ispOfSketch(BEFORE), lab.config);
  writeFileSync(file, "not a database, whatever it is called. ".repeat(30));
  const before = state(lab);
  await assert.rejects(lab.shaper.apply(plan, { kind: "netlink" }), /STORE/);
  assert.deepEqual(state(lab), before);
});

test("a full disk stops an apply before the kernel is touched, with the file in the error", async () => {
  using lab = new ShapedLab({ queues: 2 });
  const { state: file } = pathsBelow(lab.root);
  mkdirSync(dirname(file), { recursive: true });
  assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", dirname(file)]).status, 0);
  const before = state(lab);
  try {
    await assert.rejects(lab.apply(ispOfSketch(BEFORE)), /Cannot use the state database ".*state\.db": .*(full|I\/O)/);
  } finally {
    assert.equal(spawnSync("umount", [dirname(file)]).status, 0);
  }
  assert.deepEqual(state(lab), before);
});

test("an interface that vanishes between plan and apply is an error; everything else is taken back", async () => {
  using lab = new ShapedLab({ queues: 2 });
  const plan = lab.shaper.plan(ispOfSketch(BEFORE), lab.config);
  lab.router("ip link del wan0");
  await assert.rejects(lab.shaper.apply(plan, { kind: "netlink" }), /wan0.*: .*taken back/s);
  assert.doesNotMatch(lab.router("tc qdisc show dev lan0"), /htb|mq 7fff|clsact/);
  const place = shaperPlace(lab.root, lab.lab.router.path);
  assert.throws(() => Shaper.open(place, lab.config.link), /Interface "wan0" does not exist/);
});

test("only one apply at a time: the second waits, and is told who is at work when it waits in vain", async () => {
  using lab = new ShapedLab({ queues: 2 });
  using _first = await lab.shaper.lock();
  await assert.rejects(lab.shaper.lock(50), {
    code: "LOCK_TIMEOUT",
    message: new RegExp(`Timed out after 0.05 s .*held by pid ${process.pid}`),
  });
  assert.ok(existsSync(pathsBelow(lab.root).lock));
  chmodSync(pathsBelow(lab.root).lock, 0o600);
});
