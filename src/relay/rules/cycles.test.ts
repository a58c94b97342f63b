import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule, RuleInput, SourceChoice } from "../model.ts";
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

test("24: there and back, the long way round, and trees that are none", () => {
  assert.deepEqual(ids([rule("1", "a", ["b"]), rule("2", "b", ["a"])]), [["1", "2", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b"]), rule("2", "b", ["c"]), rule("3", "c", ["a"])]), [["1", "2", "3", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b", "c"]), rule("2", "b", ["d"]), rule("3", "c", ["d"])]), []);
});

test("ports lead on only when they meet", () => {
  assert.deepEqual(ids([rule("1", "a", ["b"], 1), rule("2", "b", ["a"], 2)]), []);
  assert.deepEqual(ids([rule("1", "a", ["b"], 1), rule("2", "b", ["a"], 0, 1)]), [["1", "2", "1"]]);
  assert.deepEqual(ids([rule("1", "a", ["b"], 1, 2), rule("2", "b", ["a"], 2, 7)]), []);
});

test("copies have no tag, and the source that their output gives them", () => {
  const [out, back] = [rule("1", "a", ["b"]), rule("2", "b", ["a"])];
  const from = (input: Partial<RuleInput>, source: SourceChoice = { kind: "rewrite" }) =>
    ids([
      { ...out, outputs: out.outputs.map((output) => ({ ...output, source })) },
      { ...back, input: { ...back.input, ...input } },
    ]).length;
  assert.deepEqual([from({}), from({ vlan: 7 }), from({ source: "10.0.0.1" })], [1, 0, 0]);
  assert.equal(from({ source: "10.0.0.1" }, { kind: "preserve" }), 1);
  assert.equal(from({ source: "10.0.0.1" }, { kind: "address", address: "10.0.0.1" }), 1);
  assert.equal(from({ source: "10.0.0.1" }, { kind: "address", address: "10.0.0.2" }), 0);
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

interface Packet {
  readonly interface: string;
  readonly port: number;
  readonly source: string;
  readonly vlan?: number;
}

/** The rule that takes a packet: source before port. */
const takes = (rules: readonly Rule[], { interface: device, port, source, vlan }: Packet): Rule | undefined => {
  const left = rules.filter(({ input }) => input.interface === device && input.vlan === vlan);
  const wanted = [
    [source, port],
    [source, 0],
    [undefined, port],
    [undefined, 0],
  ];
  return wanted
    .map(([s, p]) => left.find(({ input }) => input.source === s && input.port === p))
    .find((found) => found !== undefined);
};

/** Whether a packet that is heard again on every segment that it is sent to would ever end. */
function goesRound(rules: readonly Rule[], packet: Packet, way: readonly string[] = []): boolean {
  const key = JSON.stringify(packet);
  if (way.includes(key)) return true;
  const taken = takes(rules, packet);
  return (taken?.outputs ?? []).some(({ interface: device, port, source }) =>
    goesRound(
      rules,
      {
        interface: device,
        port: port === 0 ? packet.port : port,
        source: source.kind === "preserve" ? packet.source : source.kind === "address" ? source.address : "own",
      },
      [...way, key],
    ),
  );
}

const PACKETS: readonly Packet[] = ["a", "b", "c"].flatMap((device) =>
  [1, 2, 3].flatMap((port) =>
    ["s", "t", "else"].flatMap((source) => [
      { interface: device, port, source },
      { interface: device, port, source, vlan: 7 },
    ]),
  ),
);

const sources: fc.Arbitrary<SourceChoice> = fc.constantFrom(
  { kind: "rewrite" },
  { kind: "preserve" },
  { kind: "address", address: "s" },
);
const anyRules = (ports: readonly number[], from: readonly (string | undefined)[]): fc.Arbitrary<Rule[]> =>
  fc
    .uniqueArray(
      fc.record({
        interface: fc.constantFrom("a", "b", "c"),
        port: fc.constantFrom(...ports),
        source: fc.constantFrom(...from),
        vlan: fc.constantFrom(undefined, undefined, 7),
        outputs: fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom(0, 0, 1, 2), sources), {
          minLength: 1,
          maxLength: 2,
        }),
      }),
      { maxLength: 6, selector: (each) => [each.interface, each.port, each.source, each.vlan].join() },
    )
    .map((all) =>
      all.map(({ interface: device, port, source, vlan, outputs }, index) => ({
        ...rule(String(index), device, []),
        input: {
          interface: device,
          group: "239.1.1.1",
          port,
          ...(source !== undefined && { source }),
          ...(vlan !== undefined && { vlan }),
        },
        outputs: outputs.map(([to, toPort, choice]) => ({
          interface: to,
          group: "239.1.1.1",
          port: toPort,
          ttl: 1,
          source: choice,
        })),
      })),
    );
const anyGoesRound = (rules: readonly Rule[]): boolean => PACKETS.some((packet) => goesRound(rules, packet));

test("24: no packet that goes round for ever is missed, whatever rules leave open", () => {
  const seen = { round: 0, not: 0 };
  fc.assert(
    fc.property(anyRules([0, 1, 2], [undefined, undefined, "s", "t"]), (rules) => {
      const round = anyGoesRound(rules);
      seen[round ? "round" : "not"] += 1;
      assert.ok(!round || findCycles(rules).length > 0);
    }),
    { numRuns: 300 },
  );
  assert.ok(seen.round > 20 && seen.not > 20, JSON.stringify(seen));
});

test("of rules that leave nothing open, no others are told of", () => {
  fc.assert(
    fc.property(anyRules([1, 2], [undefined]), (rules) => {
      assert.equal(findCycles(rules).length > 0, anyGoesRound(rules));
    }),
    { numRuns: 300 },
  );
});
