import assert from "node:assert/strict";
import { test } from "node:test";
import { circuit, config, node } from "../../test/helpers/isp.ts";
import { type Allocation, allocate, type Slot } from "./allocation.ts";
import type { Isp } from "./model.ts";
import { bucketOf, poolsOf } from "./numbers.ts";
import { buildTree } from "./tree.ts";

function allocation(
  isp: Isp,
  options: { prior?: Allocation; occupied?: number[]; queues?: number; rebalance?: boolean } = {},
) {
  const { tree } = buildTree(isp, config());
  const { prior = new Map<string, Slot>(), occupied = [], queues = 4, rebalance = false } = options;
  return allocate({ tree, link: "bridge", queues, prior, occupied: new Set(occupied), rebalance });
}

const ISP: Isp = {
  nodes: [node("A", 100), node("B", 50)],
  circuits: [circuit("a", "A", 10), circuit("b", "B", 10), circuit("o", undefined, 5)],
};

test("nodes take the numbers that no leaf may have, circuits the others", () => {
  const { allocation: slots } = allocation(ISP);
  assert.equal(bucketOf(slots.get("node:A")!.number), bucketOf(1));
  assert.notEqual(bucketOf(slots.get("circuit:a")!.number), bucketOf(1));
});

test("a number that the kernel has in use, whoever made it, is never given out", () => {
  const [first] = poolsOf("bridge").leaf;
  const { allocation: slots } = allocation(ISP, { occupied: [first!] });
  assert.ok([...slots.values()].every(({ number }) => number !== first));
});

test("a circuit below another parent gets another number, the parent keeps its own", () => {
  const before = allocation(ISP).allocation;
  const moved: Isp = { ...ISP, circuits: [circuit("a", "B", 10), ...ISP.circuits.slice(1)] };
  const after = allocation(moved, { prior: before }).allocation;
  assert.notEqual(after.get("circuit:a")!.number, before.get("circuit:a")!.number);
  assert.equal(after.get("node:B")!.number, before.get("node:B")!.number);
});

test("fewer queues move only what stood on those that are gone; rebalancing spreads everything anew", () => {
  const before = allocation(ISP).allocation;
  const after = allocation(ISP, { prior: before, queues: 2 }).allocation;
  for (const [key, slot] of before) if (slot.queue < 2) assert.equal(after.get(key)!.number, slot.number, key);
  assert.ok([...after.values()].every(({ queue }) => queue < 2));
  const crowded = new Map([...before].map(([key, slot]) => [key, { ...slot, queue: 0 }]));
  const spread = allocation(ISP, { prior: crowded, rebalance: true }).allocation;
  assert.ok(new Set([...spread.values()].map(({ queue }) => queue)).size > 1);
});

test("when numbers run out it says how many are missing, of handles and of ids", () => {
  const { leaf, inner } = poolsOf("bridge");
  const [kept, ...others] = leaf;
  const { problems } = allocation(ISP, { occupied: [...others, ...inner.filter((number) => number !== kept)] });
  assert.deepEqual(
    problems.map(({ code, message }) => `${code}: ${message}`),
    [
      `SHAPER_QDISC_LIMIT: 3 circuits are left without a qdisc handle: an interface can hold ${leaf.length} of them`,
      `SHAPER_ID_OVERFLOW: 1 nodes are left without a class id: an interface has ${inner.length} for nodes`,
    ],
  );
});

test("a stored number is not kept by two, nor when it lies beyond those of the link's kind", () => {
  const slot: Slot = { queue: 0, parent: 0, number: 0x401 };
  const flat: Isp = { nodes: [], circuits: [circuit("a", undefined, 10), circuit("b", undefined, 10)] };
  const twice = allocation(flat, {
    queues: 1,
    prior: new Map([
      ["circuit:a", slot],
      ["circuit:b", slot],
    ]),
  });
  const numbers = [...twice.allocation.values()].map(({ number }) => number);
  assert.equal(numbers[0], 0x401);
  assert.notEqual(numbers[1], 0x401);
  const { tree } = buildTree(flat, config());
  const prior = new Map([["circuit:a", { ...slot, number: 0x9001 }]]);
  const { allocation: stick } = allocate({ tree, link: "stick", queues: 1, prior, occupied: new Set() });
  assert.ok(stick.get("circuit:a")!.number < 0x8000);
});
