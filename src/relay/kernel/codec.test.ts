import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encode } from "../../core/layout.ts";
import { addressBytes } from "../../core/prefix.ts";
import { COUNTERS } from "../model.ts";
import {
  COUNTERS_ROW,
  encodeConfig,
  encodeRow,
  kindOf,
  MAX_INPUTS,
  MAX_OUTPUTS,
  MAX_ROWS,
  type RowOutput,
  RULE,
  RULE_KEY,
} from "./codec.ts";

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
/** An address that is not all zeros, nor one family in the other's clothes. */
const address = (family: 4 | 6) =>
  family === 4 ? bytes(4) : bytes(16).map((each) => Buffer.concat([Buffer.of(0x20), each.subarray(1)]));
const optional = <K extends string, T>(key: K, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((it) => (it === undefined ? {} : { [key]: it }) as { [P in K]?: T });

const key = fc
  .constantFrom<4 | 6>(4, 6)
  .chain((family) =>
    fc
      .tuple(
        fc.record({ ifindex: u32, vlan: u16, group: address(family), port: u16 }),
        optional("source", address(family)),
      )
      .map(([fields, source]) => ({ ...fields, ...source })),
  );
const output = fc.constantFrom<4 | 6>(4, 6).chain((family) =>
  fc
    .tuple(
      fc.record({
        slot: u32,
        ifindex: u32,
        group: address(family),
        port: u16,
        ttl: fc.integer({ min: 1, max: 255 }),
        mac: bytes(6),
        ownMac: bytes(6),
      }),
      optional("dscp", fc.integer({ min: 0, max: 63 })),
      optional("source", address(family)),
    )
    .map(([fields, dscp, source]): RowOutput => ({ ...fields, ...dscp, ...source })),
);

const rate = fc.integer({ min: 1, max: 1e12 });
const cap = fc
  .tuple(optional("bitsPerSecond", rate), optional("packetsPerSecond", rate))
  .map(([bits, packets]) => ({ ...bits, ...packets }));

describe("the kernel plane's codec", () => {
  test("a key reads back as written", () => {
    fc.assert(fc.property(key, (each) => assert.deepEqual(RULE_KEY.read(encode(RULE_KEY, each), 0), each)));
  });

  test("a row reads back as written", () => {
    const rule = fc
      .tuple(u32, u32, cap, fc.array(output, { maxLength: MAX_OUTPUTS }))
      .map(([slot, mtu, each, outputs]) => ({ slot, mtu, cap: each, outputs }));
    fc.assert(fc.property(rule, (each) => assert.deepEqual(RULE.read(encode(RULE, each), 0), each)));
  });

  test("bytes stand where bpf/relay.h has them", () => {
    const rule = { ifindex: 7, vlan: 5, group: addressBytes("239.1.2.3"), port: 0x1388 };
    const any = "00".repeat(16);
    assert.equal(encode(RULE_KEY, rule).toString("hex"), `0700000013880500${"00".repeat(10)}ffffef010203${any}`);
    const source = addressBytes("2001:db8::1");
    assert.equal(
      encode(RULE_KEY, { ...rule, group: addressBytes("ff05::1"), source }).toString("hex", 8),
      `ff05${"00".repeat(13)}0120010db8${"00".repeat(11)}01`,
    );
    const mac = Buffer.from("01005e010203", "hex");
    const ownMac = Buffer.from("020000000001", "hex");
    const fields = { slot: 9, ifindex: 8, group: addressBytes("239.1.2.3"), port: 1, ttl: 2, mac, ownMac };
    // 2 Mbit/s with a burst of 524,288 bits, and no limit to packets.
    const limit = `80841e0000000000000000fa00000000${"00".repeat(16)}`;
    const head = `0400000001000000dc05000000000000${limit}`;
    const kept = `0900000008000000000102ff01000000${any}`;
    const group = `${"00".repeat(10)}ffffef010203`;
    assert.equal(
      encode(RULE, { slot: 4, mtu: 1500, cap: { bitsPerSecond: 2e6 }, outputs: [fields] }).toString("hex", 0, 56 + 64),
      `${head}${"00".repeat(8)}${kept}${group}01005e010203020000000001${"00".repeat(4)}`,
    );
    const outputs = Array.from({ length: MAX_OUTPUTS + 1 }, () => fields);
    assert.throws(() => encode(RULE, { slot: 0, mtu: 0, cap: {}, outputs }), RangeError);
  });

  test("a row says which it is, and another row something else", () => {
    const mac = Buffer.alloc(6);
    const group = addressBytes("239.1.2.3");
    const out = { slot: 9, ifindex: 8, group, port: 1, ttl: 2, mac, ownMac: mac };
    const row = (port: number, outputs: readonly RowOutput[]): Buffer =>
      encodeRow({ ifindex: 7, vlan: 0, group, port }, { slot: 4, mtu: 1500, cap: {}, outputs }).value;
    const rows = [row(1, []), row(1, [out]), row(2, [out]), row(1, [out, out]), row(1, [out, { ...out, ttl: 3 }])];
    const [none, one, elsewhere, two, other] = rows.map((value) => ({
      version: value.readUInt32LE(12),
      head: value.readUInt32LE(52),
      // Less the version: the same for the same output.
      outputs: Array.from(
        { length: (value.length - 56) / 64 },
        (_, i) => (value.readUInt32LE(56 + 64 * i + 60) - value.readUInt32LE(12)) >>> 0,
      ),
    }));
    assert.equal(one!.version, elsewhere!.version);
    assert.equal(new Set([none, one, two, other].map((each) => each!.version)).size, 4);
    assert.equal(new Set([none, one, elsewhere, two, other].map((each) => each!.head)).size, 5);
    const [check] = one!.outputs;
    assert.deepEqual([none!.outputs, elsewhere!.outputs, two!.outputs], [[], [check], [check, check]]);
    assert.deepEqual([other!.outputs[0], other!.outputs[1] === check], [check, false]);
  });

  test("a row with a key and what the kernel adds fits into 4,096 bytes", () => {
    // struct htab_elem, and the list node that the allocator of 6.1 and later puts before it.
    assert.ok(48 + 8 + RULE_KEY.size + RULE.size <= 4096, String(RULE.size));
  });

  test("limits are those of the C sources", () => {
    const read = (name: string) => readFileSync(new URL(`../../../bpf/${name}`, import.meta.url), "utf8");
    assert.match(read("relay.h"), new RegExp(`#define MAX_OUTPUTS ${MAX_OUTPUTS}\\n`));
    const sizes = ["relay-row.h", "relay.bpf.c"].map((name) =>
      [...read(name).matchAll(/max_entries, (\d+)/g)].map(([, size]) => Number(size)),
    );
    assert.deepEqual(sizes, [
      [MAX_ROWS, MAX_INPUTS, 1],
      [1, 1],
    ]);
    const counters = /struct counters \{([^}]*)\}/.exec(read("relay.h"))![1]!;
    const names = [...counters.matchAll(/__u64 (\w+);/g)].map(([, name]) => name!);
    const camel = names.map((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
    assert.deepEqual(camel, [...COUNTERS]);
  });

  test("each kind of rule has a bit", () => {
    const source = addressBytes("10.0.0.1");
    assert.deepEqual(
      [{ source, port: 1 }, { source, port: 0 }, { port: 1 }, { port: 0 }].map((each) => kindOf(each)),
      [1, 2, 4, 8],
    );
  });

  test("counters and the configuration", () => {
    const values = [1, 2 ** 33, 3, 4, 5, 6];
    assert.deepEqual(COUNTERS_ROW.read(encode(COUNTERS_ROW, values), 0), values);
    assert.equal(encodeConfig(0x01020304).toString("hex"), "04030201");
  });
});
