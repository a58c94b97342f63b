import assert from "node:assert/strict";
import { test } from "node:test";
import { checkObject, isElf } from "./elf.ts";
import { ImageFault } from "./fault.ts";

interface Header {
  readonly magic?: number;
  readonly bits?: number;
  readonly order?: number;
  readonly type?: number;
  readonly machine?: number;
  readonly length?: number;
}

/** An ELF header; a BPF object of a little-endian machine unless told otherwise. */
function header({ magic = 0x7f, bits = 2, order = 1, type = 1, machine = 247, length = 64 }: Header = {}): Uint8Array {
  const bytes = Buffer.alloc(64);
  bytes.set([magic, 0x45, 0x4c, 0x46, bits, order, 1]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint16(16, type, order === 1);
  view.setUint16(18, machine, order === 1);
  return bytes.subarray(0, length);
}

test("takes BPF objects of this byte order", () => {
  checkObject(header(), "LE");
  checkObject(header({ order: 2 }), "BE");
  assert.ok(isElf(header()));
  assert.ok(!isElf(header({ magic: 0 })));
  assert.ok(!isElf(new Uint8Array()));
});

const REFUSALS: readonly (readonly [Header, RegExp])[] = [
  [{ magic: 0 }, /is no ELF file/],
  [{ length: 0 }, /is no ELF file/],
  [{ length: 63 }, /ends within the ELF header/],
  [{ bits: 1 }, /is not 64-bit/],
  [{ order: 3 }, /has no byte order/],
  [{ order: 2 }, /is big-endian, and this machine is little-endian/],
  [{ machine: 62 }, /is for machine 62 \(x86-64\), not for BPF \(247\)/],
  [{ machine: 0xf700 }, /is for machine 63232, not for BPF/],
  [{ type: 3 }, /is a shared library or program, not a relocatable object/],
  [{ type: 9 }, /is an ELF file of type 9, not/],
];

for (const [given, reason] of REFUSALS) {
  test(`refuses an object: ${reason.source}`, () => {
    assert.throws(
      () => checkObject(header(given), "LE"),
      (error) => {
        assert.ok(error instanceof ImageFault && error.code === "IMAGE_INVALID");
        assert.match(String(error.params["reason"]), reason);
        return true;
      },
    );
  });
}
