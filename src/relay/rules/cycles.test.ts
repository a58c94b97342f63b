import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule } from "../model.ts";
import { findCycles } from "./cycles.ts";

const rule = (id: string, from: string, to: readonly string[], port = 5000, toPort = port): Rule => ({
  id,
  input: { interface: from, group: "239.1.1.1", port },
  outputs: to.map((device) => ({
    interface: device,
    group: "239.1.1.1",
    port: toPort,
    ttl: 1,
    source: { kind: "rewrite" },
  })),
  engine: "auto",
  class: "normal",
  cap: {},
  origin: "static",
});
const ids = (rules: readonly Rule[]) => findCycles(rules).map((cycle) => cycle.map(({ id }) => id));

test("there and back, the long way round, and trees that are none", () => {
  assert.deepEqual(ids([rule("1", "a", ["b"]), rule("2", "b", ["a"])]), [["1", "2", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b"]), rule("2", "b", ["c"]), rule("3", "c", ["a"])]), [["1", "2", "3", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b", "c"]), rule("2", "b", ["d"]), rule("3", "c", ["d"])]), []);
});

test("ports lead on only when they meet", () => {
  assert.deepEqual(ids([rule("1", "a", ["b"], 1), rule("2", "b", ["a"], 2)]), []);
  assert.deepEqual(ids([rule("1", "a", ["b"], 1), rule("2", "b", ["a"], 0, 1)]), [["1", "2", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b"], 1, 2), rule("2", "b", ["a"], 2, 7)]), []);
});

test("ten thousand in a row are looked through", () => {
  const chain = Array.from({ length: 10_000 }, (_, i) => rule(`${i}`, `n${i}`, [`n${i + 1}`]));
  assert.deepEqual(ids(chain), []);
  const [cycle] = ids([...chain, rule("back", "n10000", ["n0"])]);
  assert.equal(cycle!.length, 10_002);
});

test("there is one exactly when somebody is reached again from himself", () => {
  const devices = ["a", "b", "c", "d"];
  const edges = fc.uniqueArray(fc.tuple(fc.constantFrom(...devices), fc.constantFrom(...devices)), {
    selector: ([from, to]) => `${from}${to}`,
  });
  fc.assert(
    fc.property(edges, (pairs) => {
      const rules = pairs.map(([from, to], i) => rule(`${i}`, from, [to]));
      const reach = new Map(
        devices.map((device) => [device, new Set(pairs.filter(([f]) => f === device).map(([, t]) => t))]),
      );
      for (const _ of devices)
        for (const set of reach.values()) for (const via of set) for (const on of reach.get(via)!) set.add(on);
      const expected = devices.some((device) => reach.get(device)!.has(device));
      const cycles = findCycles(rules);
      assert.equal(cycles.length > 0, expected);
      for (const cycle of cycles) {
        assert.equal(cycle[0], cycle.at(-1));
        for (const [i, each] of cycle.slice(1).entries())
          assert.equal(cycle[i]!.outputs[0]!.interface, each.input.interface);
      }
    }),
  );
});
