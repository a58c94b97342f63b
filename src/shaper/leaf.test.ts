import assert from "node:assert/strict";
import { test } from "node:test";
import { megabits } from "../core/units.ts";
import { leafFor, type LeafBase, resolveLeaf } from "./leaf.ts";
import type { LeafKind, LeafOverride } from "./model.ts";

const kinds = (...list: LeafKind[]): ReadonlySet<LeafKind> => new Set(list);
const ALL = kinds("cake", "fq_codel", "bfifo");
const CAKE: LeafBase = { kind: "cake", diffserv: "diffserv4" };
const SETTINGS = { fastRate: megabits(1000) };

test('"auto" takes the best the kernel has, and says when that is not cake', () => {
  assert.deepEqual(resolveLeaf({ kind: "auto" }, ALL), { base: CAKE, problems: [] });
  const second = resolveLeaf({ kind: "auto" }, kinds("fq_codel", "bfifo"));
  assert.deepEqual(second.base, { kind: "fq_codel" });
  assert.match(second.problems[0]!.message, /no sch_cake: leaf = "auto" uses fq_codel/);
  const third = resolveLeaf({ kind: "auto" }, kinds("bfifo"));
  assert.equal(third.base, "fifo");
  assert.match(third.problems[0]!.message, /neither sch_cake nor sch_fq_codel/);
});

test("an explicit wish for what the kernel lacks is an error with the remedy", () => {
  const { problems } = resolveLeaf({ kind: "cake" }, kinds("bfifo"));
  assert.deepEqual([problems[0]!.code, problems[0]!.severity], ["SHAPER_LEAF_UNAVAILABLE", "error"]);
  assert.match(problems[0]!.remedy, /modprobe sch_cake/);
});

test("cake's rtt grows at low rates, in milliseconds, by ranges; one that was configured stays", () => {
  const rtt = (mbit: number, base: LeafBase = CAKE) => {
    const leaf = leafFor(base, undefined, megabits(mbit), SETTINGS, ALL);
    return typeof leaf === "object" && leaf.kind === "cake" ? leaf.rtt : leaf;
  };
  assert.deepEqual(
    [0.5, 1.5, 1.6, 2.5, 3, 4, 4.5].map((mbit) => rtt(mbit)),
    [300_000, 300_000, 180_000, 180_000, 140_000, 120_000, 120_000],
  );
  assert.equal(rtt(4.6), undefined);
  assert.equal(rtt(1, { kind: "cake", rtt: 50_000 as never }), 50_000);
});

test("fast circuits get fq_codel, unless they ask for cake or there is none", () => {
  const kind = (mbit: number, override?: LeafOverride, have = ALL) => {
    const leaf = leafFor(CAKE, override, megabits(mbit), SETTINGS, have);
    return typeof leaf === "object" ? leaf.kind : leaf;
  };
  assert.equal(kind(999), "cake");
  assert.equal(kind(1000), "fq_codel");
  assert.equal(kind(1000, "cake"), "cake");
  assert.equal(kind(1000, undefined, kinds("cake", "bfifo")), "cake");
  assert.equal(kind(10, "none"), "none");
  assert.equal(kind(10, "fifo"), "bfifo");
  assert.equal(kind(10, "fq_codel"), "fq_codel");
});

test("a fifo's limit stays within what the kernel can keep, at any rate", () => {
  assert.deepEqual(leafFor("fifo", undefined, megabits(100), SETTINGS, ALL), { kind: "bfifo", limit: 1_250_000 });
  assert.deepEqual(leafFor("fifo", undefined, megabits(1e6), SETTINGS, ALL), { kind: "bfifo", limit: 2 ** 32 - 1 });
});
