import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CONFIG_SIZE, decodeConfig, type DispatcherConfig, encodeConfig, type SlotConfig } from "./config-codec.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** With the prototype that object literals have, so that deepEqual compares content. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const slot: fc.Arbitrary<SlotConfig> = record({
  chainCallActions: u32,
  runPriority: u32,
  programFlags: u32,
  linkId: u32,
});
const config: fc.Arbitrary<DispatcherConfig> = record({
  isXdpFrags: fc.boolean(),
  revision: u32,
  members: fc.array(slot, { maxLength: 10 }),
});
const EMPTY: DispatcherConfig = { isXdpFrags: false, revision: 0, members: [] };
const member = (linkId: number): SlotConfig => ({
  chainCallActions: 0x8000_0004,
  runPriority: 50,
  programFlags: 32,
  linkId,
});

/** The bytes of a section of a 64-bit little-endian ELF file. */
function section(image: Buffer, wanted: string): Buffer {
  const table = Number(image.readBigUInt64LE(0x28));
  const size = image.readUInt16LE(0x3a);
  const bytes = (index: number): Buffer => {
    const header = table + index * size;
    const from = Number(image.readBigUInt64LE(header + 0x18));
    return image.subarray(from, from + Number(image.readBigUInt64LE(header + 0x20)));
  };
  const names = bytes(image.readUInt16LE(0x3e));
  for (let index = 0; index < image.readUInt16LE(0x3c); index += 1) {
    const name = image.readUInt32LE(table + index * size);
    if (names.toString("latin1", name, names.indexOf(0, name)) === wanted) return bytes(index);
  }
  return assert.fail(`no section ${wanted}`);
}

describe("a dispatcher's configuration", () => {
  test("reads back as written", () => {
    fc.assert(
      fc.property(config, (value) => {
        const bytes = encodeConfig(value);
        assert.equal(bytes.length, CONFIG_SIZE);
        assert.deepEqual(decodeConfig(bytes), value);
        // Also from the middle of other bytes.
        const inside = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(3, 0xff)]);
        assert.deepEqual(decodeConfig(inside.subarray(3, 3 + CONFIG_SIZE)), value);
      }),
    );
  });

  for (const family of ["xdp", "tc"])
    test(`is the read-only data of bpf/dispatcher-${family}.bpf.o, which is empty as built`, () => {
      const image = readFileSync(new URL(`../../bpf/dispatcher-${family}.bpf.o`, import.meta.url));
      const data = section(image, ".rodata");
      assert.equal(data.length, CONFIG_SIZE);
      assert.deepEqual(decodeConfig(data), EMPTY);
      assert.deepEqual(encodeConfig(EMPTY), data);
    });

  test("stands as bpf/dispatcher.h says", () => {
    const bytes = encodeConfig({ isXdpFrags: true, revision: 7, members: [member(0x11), member(0x12)] });
    const array = (first: string, second = first): string => (first + second).padEnd(80, "0");
    const wanted = [
      "ec020201", // magic, version, two slots, frags
      array("04000080"),
      array("32000000"),
      array("20000000"),
      array("11000000", "12000000"),
      "07000000",
      "00000000",
    ];
    assert.equal(bytes.toString("hex"), wanted.join(""));
  });

  test("has ten slots", () => {
    const ten = Array.from({ length: 10 }, (_, i) => member(i));
    assert.equal(encodeConfig({ ...EMPTY, members: ten }).readUInt32LE(160), 9, "the last link's id");
    assert.throws(() => encodeConfig({ ...EMPTY, members: [...ten, member(10)] }), RangeError);
    const bytes = encodeConfig(EMPTY);
    for (const [count, members] of [
      [10, 10],
      [11, undefined],
    ] as const) {
      bytes.writeUInt8(count, 2);
      assert.equal(decodeConfig(bytes)?.members.length, members);
    }
  });

  test("is told from other data", () => {
    const bytes = encodeConfig(EMPTY);
    assert.equal(decodeConfig(bytes.subarray(1)), undefined);
    assert.equal(decodeConfig(Buffer.concat([bytes, Buffer.alloc(4)])), undefined);
    for (const [offset, value] of [
      [0, 235],
      [1, 1],
    ] as const) {
      const other = Buffer.from(bytes);
      other.writeUInt8(value, offset);
      assert.equal(decodeConfig(other), undefined, `byte ${offset} is ${value}`);
    }
  });
});
