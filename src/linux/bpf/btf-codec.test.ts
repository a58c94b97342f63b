import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { BTF_KIND, BtfBuilder, parseBtf } from "./btf-codec.ts";
import { checkBpfElf, elfSection, elfSections } from "./elf-codec.ts";

const OBJECT = readFileSync(new URL("../../../bpf/classifier.bpf.o", import.meta.url));

test("what is built is read back", () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.boolean()), { minLength: 1, maxLength: 20 }), (functions) => {
      const types = new BtfBuilder();
      const int = types.int("int", 4, true);
      const context = types.pointer(types.struct("xdp_md", 24));
      const proto = types.funcProto(int, [{ name: "ctx", type: context }]);
      const ids = functions.map(([text, global]) => types.func(text, proto, global ? "global" : "static"));
      const btf = parseBtf(types.encode());
      assert.equal(btf.types.length, 4 + functions.length);
      assert.equal(btf.sizeOf(context), 8);
      ids.forEach((id, i) => {
        const type = btf.types[id - 1]!;
        assert.deepEqual([type.kind, type.name, type.size], [BTF_KIND.FUNC, functions[i]![0], proto]);
      });
    }),
  );
});

test("a compiler's types are read", () => {
  const btf = parseBtf(elfSection(OBJECT, ".BTF")!);
  assert.ok(btf.findByName("sluice_classify", BTF_KIND.FUNC));
  const config = btf.findByName("config", BTF_KIND.VAR)!;
  assert.ok(btf.sizeOf(config) > 20, "through const and volatile to the structure");
  assert.throws(() => parseBtf(Buffer.alloc(24)), /magic/);
});

test("an object file is known by its header, and has the sections that it has", () => {
  assert.equal(checkBpfElf(OBJECT), undefined);
  assert.ok(elfSections(OBJECT).some(({ name }) => name === "tc"));
  assert.equal(elfSection(OBJECT, "license")!.toString("latin1"), "Dual BSD/GPL\0");
  const other = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(OBJECT);
    bytes[at] = value;
    return bytes;
  };
  assert.match(checkBpfElf(Buffer.from("no"))!, /not an ELF/);
  assert.match(checkBpfElf(other(4, 1))!, /64-bit/);
  assert.match(checkBpfElf(other(5, 2))!, /big-endian/);
  assert.match(checkBpfElf(other(16, 2))!, /linked program/);
  assert.match(checkBpfElf(other(18, 62))!, /machine 62/);
});
