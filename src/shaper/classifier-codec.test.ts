import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode, type Layout } from "../core/layout.ts";
import { parsePrefix, prefix, type Prefix } from "../core/prefix.ts";
import { handle, type Handle } from "../core/tc/handle.ts";
import {
  COUNTER,
  HOST,
  HOST_KEY,
  hostEntry,
  hostRow,
  READ_ONLY_DATA,
  sumCounters,
  tableSize,
} from "./classifier-codec.ts";
import type { ClassifierConfig, HostEntry, Target, UnknownTarget } from "./model.ts";

/** With the prototype that object literals have, so that deepEqual compares content. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const u16 = fc.integer({ min: 0, max: 0xffff });
const classid: fc.Arbitrary<Handle> = fc.tuple(u16, u16).map(([a, b]) => handle(a, b));
const target: fc.Arbitrary<Target> = record({ classid, queue: u16 });
const both = <T>(value: fc.Arbitrary<T>) => record({ download: value, upload: value });
const unknown: fc.Arbitrary<UnknownTarget> = record({ classid, firstQueue: u16, queues: u16 });
const anyPrefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc.tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.integer({ min: 0, max: 32 })).map(([a, n]) => prefix(4, a, n)),
  fc
    .tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.integer({ min: 0, max: 128 }))
    .map(([a, n]) => prefix(6, a, n))
    // These are IPv4 in the common space: parsePrefix never makes them.
    .filter((p) => !(p.length >= 96 && p.address >> 32n === 0xffffn)),
);
const config: fc.Arbitrary<ClassifierConfig> = record({
  side: fc.constantFrom("download", "upload", "vlan"),
  lanVlan: fc.integer({ min: 0, max: 4094 }),
  internetVlan: fc.integer({ min: 0, max: 4094 }),
  unknown: both(unknown),
});

const roundTrips = <T>(layout: Layout<T>, value: T): void => {
  const bytes = encode(layout, value);
  assert.equal(bytes.length, layout.size);
  assert.deepEqual(layout.read(Buffer.concat([Buffer.alloc(3, 0xff), bytes]), 3), value);
};

test("every row of the table reads back as written", () => {
  fc.assert(
    fc.property(anyPrefix, both(target), (key, targets) => {
      const entry: HostEntry = { prefix: key, target: targets };
      const [row, host] = hostRow(entry);
      roundTrips(HOST_KEY, row);
      roundTrips(HOST, host);
      assert.deepEqual(hostEntry([row, host]), entry);
    }),
  );
});

test("every configuration reads back as written", () => {
  fc.assert(
    fc.property(config, fc.integer({ min: 0, max: 0xffff_ffff }), fc.boolean(), (value, buildId, bareIp) =>
      roundTrips(READ_ONLY_DATA, { config: value, buildId, bareIp }),
    ),
  );
});

test("counters read back as written and add up", () => {
  const u64 = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(record({ packets: u64, bytes: u64 }), (value) => roundTrips(COUNTER, value)));
  assert.deepEqual(sumCounters([]), { packets: 0, bytes: 0 });
  assert.deepEqual(
    sumCounters([
      { packets: 1, bytes: 60 },
      { packets: 2, bytes: 3000 },
    ]),
    { packets: 3, bytes: 3060 },
  );
});

test("keys are what the kernel compares: IPv4 mapped, 96 longer, in network order", () => {
  const key = (text: string): string => {
    const parsed = parsePrefix(text);
    assert.ok(typeof parsed === "object");
    return encode(HOST_KEY, parsed).toString("hex");
  };
  assert.equal(key("192.0.2.0/24"), `78000000${"00".repeat(10)}ffffc0000200`);
  assert.equal(key("2001:db8::/32"), `2000000020010db8${"00".repeat(12)}`);
  assert.equal(key("::/0"), "00".repeat(20));
  assert.equal(key("0.0.0.0/0"), `60000000${"00".repeat(10)}ffff00000000`);
});

test("the read-only data stands as bpf/classifier.h says", () => {
  const bytes = encode(READ_ONLY_DATA, {
    buildId: 0x0403_0201,
    bareIp: true,
    config: {
      side: "vlan",
      lanVlan: 0x0605,
      internetVlan: 0x0807,
      unknown: {
        download: { classid: 0x14131211 as Handle, firstQueue: 0x1615, queues: 0x1817 },
        upload: { classid: 0x24232221 as Handle, firstQueue: 0x2625, queues: 0x2827 },
      },
    },
  });
  assert.equal(bytes.toString("hex"), "0102030402010506070800001112131415161718" + "2122232425262728");
});

test("a new table has room for twice its rows, and for 16,384 at least", () => {
  assert.deepEqual([0, 1, 8192, 8193, 20_000, 60_000].map(tableSize), [16384, 16384, 16384, 32768, 65536, 131072]);
});
