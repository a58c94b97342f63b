/** More CAKEs than there is memory for are refused before anything is made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SluiceError } from "../../src/core/errors.ts";
import { availableMemory } from "../../src/linux/memory.ts";
import { LEAF_MEMORY } from "../../src/shaper/leaf.ts";
import { requireLeaves } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { flatIsp } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const CIRCUITS = 300;
/** The default class, which may use all of the link, has fq_codel. */
const CAKES = 2 * CIRCUITS;

test("300 circuits of CAKE on a machine without the memory are refused, with the numbers; nothing is made", async (t) => {
  if (!requireLeaves(t)) return;
  const [available, needed] = [availableMemory(), CAKES * LEAF_MEMORY.cake];
  if (available > needed) return t.skip(`this machine has the memory: ${available} bytes for ${needed}`);
  using lab = new ShapedLab({ queues: 1, config: { leaf: { kind: "cake" } } });
  const state = (): string => lab.router("tc qdisc show; tc class show dev lan0; tc class show dev wan0");
  const before = state();
  const isp = flatIsp(Array.from({ length: CIRCUITS }, () => 2));
  await assert.rejects(lab.apply(isp), (error) => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, "SHAPER_MEMORY");
    const said = /need 62\d MiB .*600 x cake at 1060 KiB.*, the machine has (\d+) MiB free/.exec(error.message);
    assert.ok(said, error.message);
    const free = Number(said[1]) * 2 ** 20;
    assert.ok(Math.abs(free - available) < 64 * 2 ** 20, `${free} of ${available} bytes`);
    return true;
  });
  assert.equal(state(), before);
  // What does fit is made.
  await lab.apply(flatIsp([2, 2]));
  assert.deepEqual(lab.plan(flatIsp([2, 2])), []);
});
