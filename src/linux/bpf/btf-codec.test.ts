import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BTF_KIND, BtfBuilder, dataSections, parseBtf } from "./btf-codec.ts";
import { elfSection } from "./elf-codec.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const objects = globSync(["bpf/*.bpf.o", "test/bpf/*.bpf.o"], { cwd: ROOT });
const typesIn = (object: string): Buffer => elfSection(readFileSync(`${ROOT}/${object}`), ".BTF")!;

const name = fc.stringMatching(/^[A-Za-z_]\w{0,20}$/);
const id = fc.integer({ min: 1, max: 0xffff });
const parameters = fc.array(fc.record({ name, type: id }), { maxLength: 5 });

/** A type to be written: how to add it, and what shall be read of it, as bytes for what follows it. */
interface Added {
  readonly add: (builder: BtfBuilder) => number;
  readonly kind: number;
  readonly name: string;
  readonly size: number;
  /** What follows it, with names in the place of their offsets. */
  readonly rest: readonly (number | string)[];
}

const int = fc.tuple(name, fc.constantFrom(1, 2, 4, 8, 16), fc.boolean()).map(([text, size, signed]): Added => ({
  add: (builder) => builder.int(text, size, signed),
  kind: BTF_KIND.INT,
  name: text,
  size,
  rest: [(signed ? 0x0100_0000 : 0) + 8 * size],
}));
const struct = fc.tuple(name, fc.integer({ min: 0, max: 4096 })).map(([text, size]): Added => ({
  add: (builder) => builder.struct(text, size),
  kind: BTF_KIND.STRUCT,
  name: text,
  size,
  rest: [],
}));
const pointer = id.map((to): Added => ({
  add: (builder) => builder.pointer(to),
  kind: BTF_KIND.PTR,
  name: "",
  size: to,
  rest: [],
}));
const proto = fc.tuple(id, parameters).map(([returns, takes]): Added => ({
  add: (builder) => builder.funcProto(returns, takes),
  kind: BTF_KIND.FUNC_PROTO,
  name: "",
  size: returns,
  rest: takes.flatMap((one) => [one.name, one.type]),
}));
const func = fc
  .tuple(name, id, fc.constantFrom("static" as const, "global" as const))
  .map(([text, type, linkage]): Added => ({
    add: (builder) => builder.func(text, type, linkage),
    kind: BTF_KIND.FUNC,
    name: text,
    size: type,
    rest: [],
  }));

const written = (added: readonly Added[]): { readonly ids: number[]; readonly bytes: Buffer } => {
  const builder = new BtfBuilder();
  return { ids: added.map(({ add }) => add(builder)), bytes: builder.encode() };
};

describe("BTF", () => {
  test("what was written is read back, with ids that count from 1", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(int, struct, pointer, proto, func), { maxLength: 30 }), (added) => {
        const { ids, bytes } = written(added);
        const strings = 24 + bytes.readUInt32LE(16);
        const textAt = (offset: number): string => {
          const start = strings + offset;
          return bytes.toString("latin1", start, bytes.indexOf(0, start));
        };
        const { types } = parseBtf(bytes);
        assert.deepEqual(
          ids,
          added.map((_, index) => index + 1),
        );
        assert.deepEqual(
          types.map(({ rest, ...type }) => ({ ...type, words: rest.length / 4 })),
          added.map(({ kind, name: text, size, rest }, index) => ({
            id: index + 1,
            kind,
            name: text,
            size,
            words: rest.length,
          })),
        );
        added.forEach(({ rest }, index) => {
          const words = rest.map((word, at) => {
            const found = types[index]!.rest.readUInt32LE(4 * at);
            return typeof word === "string" ? textAt(found) : found;
          });
          assert.deepEqual(words, rest);
        });
      }),
    );
  });

  test("a function's linkage stands where a structure has its number of members", () => {
    const linkage = (of: "static" | "global"): number => {
      const builder = new BtfBuilder();
      builder.func("f", 1, of);
      return builder.encode().readUInt16LE(24 + 4);
    };
    assert.deepEqual([linkage("static"), linkage("global")], [0, 1]);
  });

  test("a type is found by its name and its kind", () => {
    const builder = new BtfBuilder();
    builder.struct("same", 8);
    const wanted = builder.func("same", 1, "global");
    const btf = parseBtf(builder.encode());
    assert.equal(btf.findByName("same", BTF_KIND.FUNC), wanted);
    assert.equal(btf.findByName("same", BTF_KIND.STRUCT), 1);
    assert.equal(btf.findByName("same", BTF_KIND.INT), undefined);
    assert.equal(btf.findByName("other", BTF_KIND.FUNC), undefined);
  });

  test("wherever it is cut off it is refused", () => {
    const bytes = typesIn("bpf/classifier.bpf.o");
    assert.ok(parseBtf(bytes).types.length > 50);
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => parseBtf(bytes.subarray(0, length)), RangeError, `cut off after ${length} bytes`);
  });

  test("what is no BTF is refused", () => {
    for (const length of [24, 64])
      assert.throws(() => parseBtf(Buffer.alloc(length)), { name: "TypeError", message: /magic/ });
  });

  test("a compiler's types are read", () => {
    const btf = parseBtf(typesIn("bpf/classifier.bpf.o"));
    assert.ok(btf.findByName("sluice_classify", BTF_KIND.FUNC));
    const config = btf.findByName("config", BTF_KIND.VAR)!;
    assert.ok(btf.sizeOf(config) > 20, "through const and volatile to the structure");
  });

  test("a pointer is as large as the machine has it, whatever it points to", () => {
    const builder = new BtfBuilder();
    const context = builder.pointer(builder.struct("xdp_md", 24));
    assert.equal(parseBtf(builder.encode()).sizeOf(context), 8);
  });

  test("a variable's type is as large as the compiler says that the variable is", () => {
    const checked = objects.flatMap((object) => {
      const btf = parseBtf(typesIn(object));
      const sections = btf.types.filter(({ kind }) => kind === BTF_KIND.DATASEC);
      return sections.flatMap(({ rest }) =>
        Array.from({ length: rest.length / 12 }, (_, index) => {
          const [type, size] = [rest.readUInt32LE(12 * index), rest.readUInt32LE(12 * index + 8)];
          assert.equal(btf.sizeOf(type), size, `${object}: ${btf.types[type - 1]?.name}`);
          return size;
        }),
      );
    });
    // Bytes, words, arrays and structures are among them.
    assert.ok(new Set(checked).size >= 6, String(checked));
  });

  test("only what a user may set counts as data", () => {
    const variables = (object: string): string[] =>
      [...dataSections(parseBtf(typesIn(object)))].flatMap(([section, found]) =>
        found.map((variable) => `${section} ${variable.name} ${variable.size}`),
      );
    assert.deepEqual(variables("bpf/classifier.bpf.o"), [".rodata config 28"]);
    assert.deepEqual(variables("test/bpf/globals.bpf.o").toSorted(), [
      ".bss BSS_u64 8",
      ".data DATA_u32 4",
      ".rodata GLOBAL_u32 4",
      ".rodata GLOBAL_u8 1",
    ]);
  });
});
