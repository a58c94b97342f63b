import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rule.ts";
import { addressBytes, addressText } from "../../core/prefix.ts";
import type { Engine, PlaneRule } from "../model.ts";
import { MAX_OUTPUTS, MAX_ROWS, RULE, RULE_KEY } from "./codec.ts";
import { kernelVerdict } from "./eligible.ts";
import { kernelTable, type KernelTable } from "./table.ts";

const S1 = addressBytes("10.0.0.1");
const S2 = addressBytes("10.0.0.2");
/** Nothing that the kernel could carry. */
const LEFT = { outputs: [planeOutput({ ifindex: 0 })] };

const auto = (...rules: readonly PlaneRule[]) => rules.map((rule) => ({ rule, engine: "auto" as const }));
/** Rows as `source port outputs`. */
const rowsText = ({ rows }: KernelTable): string[] =>
  [...rows.values()].map(({ key, value }) => {
    const { source, port } = RULE_KEY.read(key, 0);
    return `${source ? addressText(source) : "any"} ${port || "any"} ${RULE.read(value, 0).outputs.length}`;
  });

describe("which rules the kernel carries", () => {
  const reason = (more: Partial<PlaneRule>, engine: Engine = "auto"): string | true => {
    const verdict = kernelVerdict(planeRule("r", more), engine);
    return verdict.kernel || verdict.reason;
  };

  test("those whose outputs are all known", () => {
    assert.equal(reason({}), true);
    assert.equal(reason({}, "kernel"), true);
    assert.equal(reason({}, "user"), "the rule asks for the user plane");
    assert.equal(reason({ cap: { packetsPerSecond: 5, bitsPerSecond: 1 } }), true);
    assert.equal(reason({ outputs: [] }), "it has no outputs");
    const many = Array.from({ length: MAX_OUTPUTS + 1 }, () => planeOutput());
    assert.equal(reason({ outputs: many.slice(1) }), true);
    assert.equal(reason({ outputs: many }), `it has ${MAX_OUTPUTS + 1} outputs, more than ${MAX_OUTPUTS}`);
    const { mac, ownMac, ...bare } = planeOutput();
    assert.equal(reason({ outputs: [bare] }), true);
    assert.equal(
      reason({ outputs: [planeOutput(), { ...bare, ownMac: ownMac! }] }),
      "the hardware address of the next host on o1 is not known yet",
    );
    assert.equal(reason({ outputs: [{ ...bare, mac: mac! }] }), "interface o1 has no hardware address of its own");
    assert.equal(reason({ outputs: [planeOutput({ ifindex: 0 })] }), "interface o1 is not there");
  });

  test("a row has the smallest MTU of its outputs", () => {
    const verdict = kernelVerdict(planeRule("r", { outputs: [planeOutput({ mtu: 9000 }), planeOutput()] }), "auto");
    assert.equal(verdict.kernel && verdict.rule.mtu, 1500);
  });
});

describe("the kernel's table", () => {
  test("has a row for each rule that is carried, and the kinds of each interface", () => {
    const table = kernelTable(
      auto(
        planeRule("a"),
        planeRule("b", { source: S1, port: 0 }),
        planeRule("c", { ifindex: 4, source: S1 }),
        planeRule("d", { ifindex: 4, ...LEFT }),
      ),
    );
    assert.deepEqual(rowsText(table), ["any 5000 1", "10.0.0.1 any 1", "10.0.0.1 5000 1"]);
    assert.deepEqual(
      [...table.inputs],
      [
        [2, 4 | 2],
        [4, 1],
      ],
    );
    assert.deepEqual(
      [...table.carried],
      [
        ["a", true],
        ["b", true],
        ["c", true],
        ["d", "interface o1 is not there"],
      ],
    );
  });

  test("leaves alone what a rule of the user plane takes before one of the kernel", () => {
    const table = kernelTable(
      auto(
        planeRule("wide"),
        planeRule("narrow", { source: S1, ...LEFT }),
        planeRule("all ports", { source: S2, port: 0, ...LEFT }),
        planeRule("wider", { port: 0, ...LEFT }),
        planeRule("elsewhere", { group: addressBytes("239.9.9.9"), source: S1, ...LEFT }),
        planeRule("other vlan", { vlan: 5, source: S1, ...LEFT }),
      ),
    );
    assert.deepEqual(rowsText(table), ["any 5000 1", "10.0.0.1 5000 0", "10.0.0.2 any 0"]);
    assert.equal(table.inputs.get(2), 4 | 1 | 2);
  });

  test("an interface that refuses the program has no rows", () => {
    const table = kernelTable(auto(planeRule("a"), planeRule("b", { ifindex: 4 })), new Map([[2, "no room"]]));
    assert.deepEqual([...table.inputs.keys()], [4]);
    assert.equal(table.carried.get("a"), "no room");
  });

  test("of two rules with the same input the first counts", () => {
    const table = kernelTable(auto(planeRule("a"), planeRule("b", { slot: 2 })));
    assert.equal(table.rows.size, 1);
    assert.deepEqual([...table.carried.values()], [true, "another rule takes the same packets"]);
  });

  test("is full at some time, and then leaves rules that meet the same packets together", () => {
    const group = (i: number) => Buffer.of(239, 0, i >> 8, i & 0xff);
    const rules = Array.from({ length: MAX_ROWS - 1 }, (_, i) => planeRule(`r${i}`, { group: group(i) }));
    const two = [planeRule("x"), planeRule("y", { source: S1 })];
    const last = planeRule("z", { group: addressBytes("239.7.7.7") });
    const table = kernelTable(auto(...rules, ...two, last));
    assert.equal(table.rows.size, MAX_ROWS);
    assert.match(String(table.carried.get("x")), /room for 16384 rules/);
    assert.match(String(table.carried.get("y")), /room for 16384 rules/);
    assert.equal(table.carried.get("z"), true);
  });

  test("finds for every packet the rule that all rules together would", () => {
    const sources = [S1, S2, addressBytes("10.0.0.3")];
    const shape = fc.record({
      source: fc.option(fc.nat(1), { nil: undefined }),
      port: fc.nat(2),
      kernel: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(shape, { selector: ({ source, port }) => `${source} ${port}` }), (shapes) => {
        const rules = shapes.map(({ source, port, kernel }, i) =>
          planeRule(`r${i}`, {
            slot: i,
            port,
            ...(source !== undefined && { source: sources[source]! }),
            ...(!kernel && LEFT),
          }),
        );
        const { rows, carried } = kernelTable(auto(...rules));
        const found = [...rows.values()].map(({ key, value }) => ({
          ...RULE_KEY.read(key, 0),
          ...RULE.read(value, 0),
        }));
        for (const source of sources) {
          for (const port of [1, 2, 3]) {
            const is = (
              rule: { readonly source?: Uint8Array; readonly port: number },
              s: boolean,
              p: number,
            ): boolean =>
              rule.port === p &&
              (s ? rule.source !== undefined && addressText(rule.source) === addressText(source) : !rule.source);
            const order = [
              [true, port],
              [true, 0],
              [false, port],
              [false, 0],
            ] as const;
            const wanted = order.map(([s, p]) => rules.find((rule) => is(rule, s, p))).find(Boolean);
            const row = order.map(([s, p]) => found.find((each) => is(each, s, p))).find(Boolean);
            const taken = row && row.outputs.length > 0 ? row.slot : undefined;
            assert.equal(taken, wanted && carried.get(wanted.id) === true ? wanted.slot : undefined);
          }
        }
      }),
    );
  });
});
