import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHandle, major } from "../../src/core/tc/handle.ts";
import { classChanges, countedFromOne, type TcAction, treeActions } from "./trees.ts";

const CIRCUITS = 300;
const QUEUES = 3;
const idOf = ({ at }: TcAction): string =>
  `${"qdisc" in at ? "qdisc" : "class"} ${formatHandle("qdisc" in at ? at.handle : at.classid)}`;

test("a tree has a class and a leaf for every circuit", () => {
  const kinds = Object.groupBy(treeActions(CIRCUITS, QUEUES), ({ kind }) => kind);
  // Besides: the mq and its HTBs, and of each queue the root class and the default class with its leaf; 100 sites.
  assert.equal(kinds["qdisc.add"]?.length, CIRCUITS + 1 + 2 * QUEUES);
  assert.equal(kinds["class.add"]?.length, CIRCUITS + 100 + 2 * QUEUES);
});

test("counting the HTBs from one changes their handles and nothing else", () => {
  const ours = treeActions(CIRCUITS, QUEUES);
  const usual = countedFromOne(ours, QUEUES);
  const htbs = usual.flatMap(({ at }) => ("qdisc" in at && at.qdisc.kind === "htb" ? [major(at.handle)] : []));
  assert.deepEqual(htbs, [1, 2, 3]);
  assert.equal(new Set(usual.map(idOf)).size, ours.length);
  const made = new Set(usual.map(idOf));
  for (const { at } of usual) {
    const parent = formatHandle(at.parent);
    const hangs =
      parent === "root" || parent.startsWith("7fff:") || made.has(`class ${parent}`) || made.has(`qdisc ${parent}`);
    assert.ok(hangs, `nothing made ${parent}`);
  }
});

test("changes are spread over the whole tree and touch circuits only", () => {
  const tree = treeActions(CIRCUITS, QUEUES);
  const changes = classChanges(tree, 30);
  assert.equal(changes.length, 30);
  assert.equal(new Set(changes.map(({ at }) => major("qdisc" in at ? at.handle : at.classid))).size, QUEUES);
});
