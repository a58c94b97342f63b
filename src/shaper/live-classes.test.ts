import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ClassAt, HtbClass } from "../core/tc/class.ts";
import { type Handle, handle } from "../core/tc/handle.ts";
import { bitsPerSecond, megabits } from "../core/units.ts";
import { ClassTree } from "./class-tree.ts";
import { liveClass, liveClasses } from "./live-classes.ts";
import { circuitClass, nodeClass, PRIO } from "./rates.ts";

const MTU = 1500;
const classid = (minor: number): Handle => handle(1, minor);
const inner = (minor: number, parent: number, rate: number, ceil: number): ClassAt => ({
  classid: classid(minor),
  parent: classid(parent),
  htb: nodeClass(megabits(rate), megabits(ceil), MTU),
});
const leaf = (minor: number, parent: number, rate: number, ceil: number): ClassAt => ({
  classid: classid(minor),
  parent: classid(parent),
  htb: circuitClass(megabits(rate), megabits(ceil), PRIO.circuit, MTU),
});

/** A link; a tower with two circuits, below it a sector with two more and one without any; and a neighbour. */
const NODES = new Set([1, 2, 3, 4, 5].map((minor) => classid(minor)));
const TREE = new ClassTree(
  [
    inner(1, 0, 100, 100),
    inner(2, 1, 30, 50),
    leaf(0x10, 2, 4, 20),
    leaf(0x11, 2, 6, 20),
    inner(3, 2, 15, 30),
    leaf(0x12, 3, 5, 10),
    leaf(0x13, 3, 5, 10),
    inner(4, 1, 20, 40),
    leaf(0x14, 4, 20, 40),
    inner(5, 2, 3, 9),
  ],
  NODES,
  MTU,
);

/** Own rates and ceilings in Mbit/s of what is others than planned, by minor. */
const changed = (live: Readonly<Record<number, number>>, near?: number): Record<string, string> => {
  const rates = new Map(Object.entries(live).map(([minor, mbit]) => [classid(Number(minor)), megabits(mbit)]));
  const found = liveClasses(TREE, rates, near === undefined ? undefined : classid(near));
  return Object.fromEntries(
    [...found].map(([id, { rate, ceil }]) => [(id & 0xffff).toString(16), `${rate / 1e6}/${ceil / 1e6}`]),
  );
};

describe("a class at a live rate", () => {
  test("is what the shaper makes of these rates, by the bursts too", () => {
    for (const [rate, ceil, live] of [
      [30, 50, 40],
      [30, 50, 10],
      [30, 50, 200],
    ] as const) {
      const planned = nodeClass(megabits(rate), megabits(ceil), MTU);
      const wanted = nodeClass(megabits(Math.min(rate, live)), megabits(live), MTU);
      assert.deepEqual(liveClass(planned, megabits(live), MTU), wanted);
    }
  });
});

describe("a live rate", () => {
  test("above what is guaranteed below changes the node alone", () => {
    assert.deepEqual(changed({ 2: 40 }), { 2: "30/40" });
    assert.deepEqual(changed({ 2: 28 }), { 2: "28/28" }, "4 + 6 + 15 + 3 fit just so");
    assert.deepEqual(changed({ 2: 500 }), { 2: "30/500" }, "what is above the node has a ceiling of its own");
  });

  test("below that takes what nodes were given beyond the guarantees of their circuits", () => {
    // 4 + 6 + 10 for circuits, and a floor for the sector without any; half of the 8 beyond is left.
    assert.deepEqual(changed({ 2: 24.0005 }), { 2: "24.000496/24.000496", 3: "12.5/30", 5: "1.500496/9" });
    assert.deepEqual(changed({ 2: 20.001 }), { 2: "20.001/20.001", 3: "10/30", 5: "0.001/9" });
  });

  test("below that, too, scales the guarantees of all circuits alike, and no ceiling", () => {
    assert.deepEqual(changed({ 2: 10.003 }), {
      2: "10.003/10.003",
      3: "5.001/30",
      5: "0.001/9",
      10: "2.000496/20",
      11: "3.000496/20",
      12: "2.500496/10",
      13: "2.500496/10",
    });
    assert.deepEqual(changed({ 3: 5 }), { 3: "5/5", 12: "2.5/10", 13: "2.5/10" });
  });

  test("so low that not even the floors fit leaves each its share of them", () => {
    assert.deepEqual(changed({ 2: 0.0025 }), {
      2: "0.002496/0.002496",
      3: "0.001/30",
      5: "0.000496/9",
      10: "0.000496/20",
      11: "0.000496/20",
      12: "0.000496/10",
      13: "0.000496/10",
    });
    assert.deepEqual(changed({ 4: 0.000_008 }), { 4: "0.000008/0.000008", 14: "0.000008/40" });
  });

  test("of a node below another live one counts for it, and holds inside it", () => {
    // The sector asks for 2 of its 15 only, so all the rest fits into 15.
    assert.deepEqual(changed({ 2: 15, 3: 2 }), { 2: "15/15", 3: "2/2", 12: "1/10", 13: "1/10" });
    const both = changed({ 2: 6, 3: 8 });
    assert.equal(both["2"], "6/6");
    assert.match(both["3"]!, /^2\.66\d+\/8$/, "scaled from above, with the ceiling of its own live rate");
  });

  test("near a class leaves out what has nothing to do with it", () => {
    assert.deepEqual(changed({ 2: 28, 4: 5 }, 4), { 4: "5/5", 14: "5/40" });
    assert.deepEqual(Object.keys(changed({ 2: 12, 4: 5 }, 3)), ["2", "3", "5", "10", "11", "12", "13"]);
    assert.deepEqual(changed({ 3: 2, 4: 5 }, 2), { 3: "2/2", 12: "1/10", 13: "1/10" });
  });
});

/** Random trees: the parent of each class comes before it; guarantees may be more than their parent's, as in LibreQoS. */
const trees = fc
  .array(fc.record({ up: fc.nat(), rate: fc.integer({ min: 1000, max: 1e8 }), more: fc.nat({ max: 1e8 }) }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((rows) =>
    rows.map(({ up, rate, more }, i): ClassAt => {
      const htb = nodeClass(bitsPerSecond(rate & ~7), bitsPerSecond((rate + more) & ~7), MTU);
      return { classid: classid(i + 1), parent: classid(i === 0 ? 0 : 1 + (up % i)), htb };
    }),
  );
const lives = fc.dictionary(fc.nat({ max: 29 }).map(String), fc.integer({ min: 1e4, max: 1e8 }), { maxKeys: 4 });

test("for any tree a live rate holds: what is sent unasked below it fits, and nothing else is touched", () => {
  fc.assert(
    fc.property(trees, lives, (classes, wished) => {
      const nodes = classes.filter((_, i) => i % 3 !== 2).map((at) => at.classid);
      const tree = new ClassTree(classes, new Set(nodes), MTU);
      const live = new Map(Object.entries(wished).map(([at, rate]) => [classid(Number(at) + 1), bitsPerSecond(rate)]));
      for (const id of live.keys()) if (!tree.get(id)) live.delete(id);
      const found = liveClasses(tree, live);
      const now = (at: ClassAt): HtbClass => found.get(at.classid) ?? at.htb;
      // What a class and all below it send by their own rates.
      const unasked = (at: ClassAt): number =>
        Math.max(
          now(at).rate,
          tree.childrenOf(at.classid).reduce((sum, child) => sum + unasked(child), 0),
        );
      for (const [id, rate] of live) {
        const at = tree.get(id)!;
        assert.equal(now(at).ceil, rate & ~7);
        const below = tree.childrenOf(id).reduce((sum, child) => sum + unasked(child), 0);
        assert.ok(below <= rate + 8 * classes.length, `${below} below a live rate of ${rate}`);
      }
      for (const [id, htb] of found) {
        const planned = tree.get(id)!.htb;
        assert.ok(live.has(id) || tree.above(id).some((at) => live.has(at.classid)));
        assert.ok(htb.rate <= planned.rate && htb.rate >= 8);
        assert.ok(live.has(id) || htb.ceil === planned.ceil);
        assert.deepEqual([htb.quantum, htb.prio], [planned.quantum, planned.prio]);
      }
      const order = [...found.keys()];
      for (const [i, id] of order.entries())
        for (const above of tree.above(id)) assert.ok(order.indexOf(above.classid) < i, "parents before children");
    }),
    { numRuns: 500 },
  );
});
