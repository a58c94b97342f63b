import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryTarget } from "../../../test/helpers/link-bench.ts";
import type { DirectionConfig } from "../config.ts";
import { Aim } from "./aim.ts";

const CONFIG: DirectionConfig = {
  target: { kind: "auto", device: "wan" },
  bounds: { min: 1000, base: 5000, max: 9000 },
  threshold: 15,
  adjust: true,
};
const aimed = (adjust = true): { aim: Aim; target: MemoryTarget } => {
  const target = new MemoryTarget("tbf on wan");
  return { aim: new Aim({ ...CONFIG, adjust }, target), target };
};

test("bytes count from the first look on, over a counter that begins anew, and while the target is away", () => {
  const { aim, target } = aimed();
  target.sent = 1e9;
  assert.equal(aim.bytes, 0);
  assert.deepEqual(aim.look(), { kind: "there", rate: 77_000, restarted: true, foreign: false });
  target.sent += 500;
  aim.look();
  assert.equal(aim.bytes, 500);
  target.sent = 20;
  assert.equal((aim.look() as { restarted: boolean }).restarted, true);
  assert.equal(aim.bytes, 500);
  target.sent = 120;
  aim.look();
  assert.equal(aim.bytes, 600);
  target.absence = "there is no interface";
  assert.deepEqual(aim.look(), { kind: "missing", reason: "there is no interface" });
  assert.equal(aim.bytes, 600, "what was counted is not forgotten meanwhile");
  aim.look();
  assert.equal(aim.bytes, 600);
  target.remake(50);
  target.sent = 5_000_000;
  assert.equal((aim.look() as { restarted: boolean }).restarted, true);
  assert.equal(aim.bytes, 600, "another counter, whatever it shows");
  target.sent += 7;
  aim.look();
  assert.equal(aim.bytes, 607);
});

test("what cannot be read is missing, and that is no exception", () => {
  const { aim, target } = aimed();
  target.unreadable = "RTM_GETQDISC: Operation not permitted (EPERM)";
  assert.deepEqual(aim.look(), { kind: "missing", reason: target.unreadable });
  target.unreadable = undefined;
  assert.equal(aim.look().kind, "there");
});

test("a rate that is not the one that was set is somebody else's", async () => {
  const { aim, target } = aimed();
  const foreign = (): boolean => (aim.look() as { foreign: boolean }).foreign;
  assert.equal(foreign(), false, "nothing was set yet");
  await aim.set(4321);
  assert.equal(target.rate, 4321);
  assert.equal(foreign(), false);
  // Whole bytes per second: 4000.007 kbit/s are kept as 4000.
  await aim.set(4000.007);
  assert.equal(target.rate, 4000);
  assert.equal(foreign(), false);
  target.rate = 4001;
  assert.equal(foreign(), true);
  target.rate = undefined;
  assert.equal(foreign(), true, "no limit at all");
  aim.release();
  assert.equal(foreign(), false, "taken as it is");
});

test("it is set once, and again after whatever may have changed it", async () => {
  const { aim, target } = aimed();
  aim.look();
  assert.equal(aim.isSetTo(5000), false);
  await aim.set(5000);
  assert.equal(aim.isSetTo(5000), true);
  assert.equal(aim.isSetTo(5001), false);
  target.absence = "gone";
  aim.look();
  assert.equal(aim.isSetTo(5000), false, "another one may come");
  target.absence = undefined;
  aim.look();
  target.refusal = "no";
  await assert.rejects(aim.set(5000), /AUTORATE_TARGET_REFUSED/);
  assert.equal(aim.isSetTo(5000), false);
  assert.deepEqual(aim.writes, { done: 1, failed: 1 });
});

test("a dry run writes nothing, and does not count it", async () => {
  const { aim } = aimed(false);
  aim.look();
  await aim.set(5000);
  assert.equal(aim.isSetTo(5000), true, "it is told once");
  assert.deepEqual(aim.writes, { done: 0, failed: 0 });
});
