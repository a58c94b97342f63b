import assert from "node:assert/strict";
import { test } from "node:test";
import { circuit, config, node } from "../../test/helpers/isp.ts";
import type { NetworkNode } from "./model.ts";
import { buildTree, type Tree, type TreeNode } from "./tree.ts";

/** The tree as text: name(ceil)[circuits]{children}. */
function sketch(nodes: readonly TreeNode[]): string {
  return nodes
    .map((n) => {
      const circuits = n.circuits.map((c) => c.circuit.id).join(" ");
      return `${n.name}(${n.ceil.download / 1e6})${circuits && `[${circuits}]`}${n.children.length > 0 ? `{${sketch(n.children)}}` : ""}`;
    })
    .join(" ");
}

const chain = (rates: readonly number[], below: NetworkNode[] = []): NetworkNode[] =>
  rates.reduceRight<NetworkNode[]>((children, mbit, i) => [node(`L${i + 1}`, mbit, children)], below);

const codes = (result: { problems: readonly { code: string }[] }): string[] => result.problems.map((p) => p.code);
const show = (result: { tree: Tree }): string => sketch(result.tree.nodes);

test("a tree of six levels stays as it is", () => {
  const isp = { nodes: chain([60, 50, 40, 30, 20, 10]), circuits: [circuit("c", "L6", 5)] };
  const result = buildTree(isp, config());
  assert.equal(show(result), "L1(60){L2(50){L3(40){L4(30){L5(20){L6(10)[c]}}}}}");
  assert.deepEqual(codes(result), []);
});

test("nodes with one child and no circuits fold into it, and every rate still holds", () => {
  const isp = { nodes: chain([60, 50, 40, 30, 20, 10, 15, 8]), circuits: [circuit("c", "L8", 5)] };
  const result = buildTree(isp, config());
  assert.equal(show(result), "L3(40){L4(30){L5(20){L6(10){L7(10){L8(8)[c]}}}}}");
  assert.deepEqual(codes(result), ["SHAPER_TREE_FOLDED"]);
  assert.match(result.problems[0]!.message, /"L1", "L2" got no class/);
});

test("a node that may send all that its parent may folds into the parent", () => {
  const deep = chain([60, 50, 40, 30, 30, 20, 10]);
  const isp = {
    nodes: deep,
    circuits: ["L1", "L2", "L3", "L4", "L5", "L6", "L7"].map((name) => circuit(`c${name}`, name, 5)),
  };
  const result = buildTree(isp, config());
  assert.equal(show(result), "L1(60)[cL1]{L2(50)[cL2]{L3(40)[cL3]{L4(30)[cL4 cL5]{L6(20)[cL6]{L7(10)[cL7]}}}}}");
  assert.deepEqual(codes(result), ["SHAPER_TREE_FOLDED"]);
});

test("what is still too deep moves up beside the last level, no faster than what it hung on, with a warning", () => {
  const deep = chain([60, 50, 40, 30, 25, 20], [node("A", 15, [node("B", 12)]), node("C", 10)]);
  const circuits = ["L1", "L2", "L3", "L4", "L5", "L6", "A", "B", "C"].map((name) => circuit(`c${name}`, name, 5));
  const result = buildTree({ nodes: deep, circuits }, config());
  const last = "L6(20)[cL6] A(15)[cA] B(12)[cB] C(10)[cC]";
  assert.equal(show(result), `L1(60)[cL1]{L2(50)[cL2]{L3(40)[cL3]{L4(30)[cL4]{L5(25)[cL5]{${last}}}}}}`);
  assert.deepEqual(codes(result), ["SHAPER_TREE_FLATTENED"]);
  assert.match(result.problems[0]!.message, /"A", "B", "C" moved up to "L5"/);
});

test("a folded node's guarantee moves to its only child", () => {
  const deep = chain([60, 50, 40, 30, 20, 10, 8], []);
  const [top] = deep;
  const guaranteed: NetworkNode = { ...top!, min: { download: 7e6, upload: 7e6 } as NetworkNode["min"] };
  const result = buildTree({ nodes: [guaranteed], circuits: [] }, config());
  assert.equal(result.tree.nodes[0]!.name, "L2");
  assert.ok(result.tree.nodes[0]!.rate.download >= 7e6);
});
