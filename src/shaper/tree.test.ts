import assert from "node:assert/strict";
import { test } from "node:test";
import { circuit, config, node } from "../../test/helpers/isp.ts";
import { bitsPerSecond, megabits } from "../core/units.ts";
import { buildTree } from "./tree.ts";

const messages = (result: { problems: readonly { code: string; message: string }[] }): string[] =>
  result.problems.map(({ code, message }) => `${code}: ${message}`);

test("a ceiling is the tightest rate on the way to the link, and says whose it is", () => {
  const isp = {
    nodes: [node("Site", 100, [node("AP", 200)])],
    circuits: [circuit("c", "AP", 300), circuit("o", undefined, 2000)],
  };
  const { tree, problems } = buildTree(isp, config());
  const [ap] = tree.nodes[0]!.children;
  assert.deepEqual([ap!.ceil.download, ap!.limit.download], [100e6, { kind: "node", name: "Site" }]);
  const [c] = ap!.circuits;
  assert.deepEqual([c!.ceil.download, c!.limit.download], [100e6, { kind: "node", name: "Site" }]);
  assert.deepEqual([tree.orphans[0]!.ceil.upload, tree.orphans[0]!.limit.upload], [1e9, { kind: "link" }]);
  assert.deepEqual(messages({ problems: problems.slice(0, 1) }), [
    'SHAPER_CEIL_CAPPED: Circuit "c" is planned at 300 Mbit/s download, but node "Site" limits it to 100 Mbit/s',
  ]);
});

test("rates keep their fraction, to the byte per second", () => {
  const { tree } = buildTree(
    { nodes: [], circuits: [circuit("c", undefined, 2.5), circuit("d", undefined, 7.123457)] },
    config(),
  );
  assert.deepEqual(
    tree.orphans.map(({ ceil }) => ceil.download),
    [2_500_000, 7_123_456],
  );
});

test("guarantees that cannot be kept are errors with sum and parent, or scaled with a warning", () => {
  const isp = {
    nodes: [node("AP", 10)],
    circuits: [circuit("a", "AP", 8, { min: 8 }), circuit("b", "AP", 8, { min: 8 })],
  };
  assert.deepEqual(messages(buildTree(isp, config())), [
    'SHAPER_MINIMUMS_OVERSUBSCRIBED: The download minimums below node "AP" add up to 16 Mbit/s, more than its 10 Mbit/s',
    'SHAPER_MINIMUMS_OVERSUBSCRIBED: The upload minimums below node "AP" add up to 16 Mbit/s, more than its 10 Mbit/s',
  ]);
  const scaled = buildTree(isp, config({ minimums: "scale" }));
  assert.match(messages(scaled)[0]!, /^SHAPER_MINIMUMS_SCALED: .* each was scaled to 62\.5 %$/);
  assert.equal(scaled.tree.nodes[0]!.circuits[0]!.rate.download, 5e6);
});

test("the link's own rate is checked like a node's, less what is kept for unknown hosts", () => {
  const isp = {
    nodes: [],
    circuits: [circuit("a", undefined, 60, { min: 60 }), circuit("b", undefined, 60, { min: 60 })],
  };
  const rate = { download: megabits(100), upload: megabits(200) };
  assert.deepEqual(messages(buildTree(isp, config({ rate }))), [
    "SHAPER_MINIMUMS_OVERSUBSCRIBED: The download minimums below the link (less 1 % for unknown hosts) add up to 120 Mbit/s, more than its 99 Mbit/s",
  ]);
});

test("unknown hosts get a hundredth for certain and up to their cap", () => {
  const unknownRate = { download: megabits(50), upload: megabits(5000) };
  const { tree } = buildTree({ nodes: [], circuits: [] }, config({ unknownRate }));
  assert.deepEqual(tree.unknown.download, { rate: bitsPerSecond(10e6), ceil: bitsPerSecond(50e6) });
  assert.deepEqual(tree.unknown.upload, { rate: bitsPerSecond(10e6), ceil: bitsPerSecond(1e9) });
});

test("unknown hosts are guaranteed no more than their cap", () => {
  const unknownRate = { download: bitsPerSecond(10_000), upload: megabits(1) };
  const { tree } = buildTree({ nodes: [], circuits: [] }, config({ unknownRate }));
  assert.deepEqual(tree.unknown.download, { rate: bitsPerSecond(10_000), ceil: bitsPerSecond(10_000) });
  assert.deepEqual(tree.unknown.upload, { rate: bitsPerSecond(1e6), ceil: bitsPerSecond(1e6) });
});

test("more circuits than a node has floors for are an error that asks nobody to lower a minimum", () => {
  const circuits = Array.from({ length: 20 }, (_, i) => circuit(`c${i}`, "AP", 0.0199));
  const isp = { nodes: [node("AP", 0.0199, [], { up: 1 })], circuits };
  for (const minimums of ["strict", "scale"] as const) {
    assert.deepEqual(messages(buildTree(isp, config({ minimums }))).slice(0, 1), [
      'SHAPER_FLOORS_OVERSUBSCRIBED: Below node "AP" are so many classes that 1 kbit/s download for each, the least HTB is given, make 20 kbit/s, more than its 19.9 kbit/s',
    ]);
  }
});

test("rates that would read as the same are shown to the bit", () => {
  const isp = { nodes: [node("AP", 10)], circuits: [circuit("a", "AP", 10, { min: 10 }), circuit("b", "AP", 1)] };
  assert.match(messages(buildTree(isp, config()))[0]!, /add up to 10001000 bit\/s, more than its 10000000 bit\/s/);
});
