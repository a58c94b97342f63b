/** What an object file holds, and what can be changed about it before the kernel sees it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type Layout, U32 } from "../../src/core/layout.ts";
import { dataSections } from "../../src/linux/bpf/btf-codec.ts";
import { mapInfo, programInfo } from "../../src/linux/bpf/info.ts";
import { BpfMap, MAP_TYPE } from "../../src/linux/bpf/map.ts";
import { BpfLoadError, BpfObject, type ObjectMap } from "../../src/linux/bpf/object.ts";
import { FLAG_XDP_HAS_FRAGS, PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { testRunBare } from "../../src/linux/bpf/testrun.ts";
import { Fd } from "../../src/linux/fd.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const FRAME = Buffer.alloc(64);
const XDP_PASS = 2;
const U64: Layout<bigint> = {
  size: 8,
  write: (buffer, offset, value) => void buffer.writeBigUInt64LE(value, offset),
  read: (buffer, offset) => buffer.readBigUInt64LE(offset),
};

const open = (name: string): BpfObject =>
  BpfObject.open("x", readFileSync(new URL(`../bpf/${name}.bpf.o`, import.meta.url)));
const rows = (object: BpfObject, map: string): bigint[] => {
  using counters = new BpfMap(Fd.duplicate(object.mapFd(map)), U32, U64);
  return counters.entries().map(([, value]) => value);
};
const run = (object: BpfObject, program: string): number => {
  using fd = Fd.duplicate(object.programFd(program));
  return testRunBare(fd, FRAME, 1).verdict;
};
const mapOf = (object: BpfObject, section: string): ObjectMap => object.maps().find((map) => map.section === section)!;

describe("programs of an object", () => {
  test("they are listed in the order of the file, with its licence", () => {
    using object = open("three");
    assert.deepEqual(
      object.programs(),
      ["first", "second", "third"].map((name) => ({ name, section: "xdp", flags: 0 })),
    );
    assert.equal(object.license(), "Dual BSD/GPL");
  });

  test("one that is refused is named, and those that are asked for load without it", () => {
    {
      using object = open("three");
      assert.throws(
        () => object.load(),
        (error) => {
          assert.ok(error instanceof BpfLoadError);
          assert.match(error.message, /\(EACCES\): third: .*invalid access to map value/);
          assert.match(error.verifierLog, /invalid access to map value/);
          return true;
        },
      );
    }
    using object = open("three");
    object.loadOnly(["first", "second"]);
    object.load();
    assert.equal(run(object, "second"), XDP_PASS);
    assert.deepEqual(rows(object, "xdp_hits"), [1n]);
    assert.throws(() => object.programFd("third"), BpfLoadError);
  });

  test("its instructions are those that the kernel took, with the numbers of its maps in them", () => {
    using object = open("three");
    object.loadOnly(["first"]);
    object.load();
    const code = object.instructions("first");
    assert.equal(code.length % 8, 0);
    assert.equal(code.readUInt8(code.length - 8), 0x95, "it ends with an exit");
    const map = Buffer.from("1811000000000000", "hex");
    map.writeInt32LE(object.mapFd("xdp_hits"), 4);
    assert.ok(code.includes(map), code.toString("hex"));
    // A copy: the object's own memory is not touched.
    code.fill(0);
    assert.ok(object.instructions("first").includes(map));
  });

  test("a program can be made one of another type, with other flags", () => {
    using object = open("globals");
    object.setFlags("globals", FLAG_XDP_HAS_FRAGS);
    assert.deepEqual(object.programs(), [{ name: "globals", section: "xdp", flags: FLAG_XDP_HAS_FRAGS }]);
    object.setFlags("globals", 0);
    object.setType("globals", PROGRAM_TYPE.SCHED_CLS);
    object.setExpectedAttachType("globals", 0);
    object.load();
    assert.equal(programInfo(object.programFd("globals")).type, PROGRAM_TYPE.SCHED_CLS);
  });

  test("names that it does not have are refused", () => {
    using object = open("globals");
    assert.throws(() => object.setType("nothing", PROGRAM_TYPE.XDP), /no program "nothing"/);
    assert.throws(() => object.instructions("nothing"), /no program "nothing"/);
    assert.throws(() => object.initialValue({ ...mapOf(object, ".data"), name: "nothing" }), /no map "nothing"/);
  });
});

describe("maps of an object", () => {
  test("those behind global data are told from those that the program declares", () => {
    using object = open("globals");
    const found = object.maps().toSorted((a, b) => a.name.localeCompare(b.name));
    const data = { type: MAP_TYPE.ARRAY, keySize: 4, pinByName: false };
    assert.deepEqual(found, [
      { name: "globals_seen", ...data, valueSize: 8 },
      { name: "x.bss", ...data, valueSize: 8, section: ".bss" },
      { name: "x.data", ...data, valueSize: 4, section: ".data" },
      { name: "x.rodata", ...data, valueSize: 8, section: ".rodata" },
    ]);
  });

  test("variables stand where its types say, and the program sees what was set there", () => {
    using object = open("globals");
    const sections = dataSections(object.btf()!);
    const set = (section: string, name: string, write: (bytes: Buffer, offset: number) => void): void => {
      const map = mapOf(object, section);
      const bytes = object.initialValue(map);
      assert.equal(bytes.length, map.valueSize);
      write(bytes, sections.get(section)!.find((variable) => variable.name === name)!.offset);
      object.setInitialValue(map, bytes);
      assert.deepEqual(object.initialValue(map), bytes);
    };
    assert.equal(object.initialValue(mapOf(object, ".data")).readUInt32LE(0), 0x01020304);
    set(".rodata", "GLOBAL_u8", (bytes, offset) => bytes.writeUInt8(200, offset));
    set(".rodata", "GLOBAL_u32", (bytes, offset) => bytes.writeUInt32LE(0xfedcba98, offset));
    set(".bss", "BSS_u64", (bytes, offset) => bytes.writeBigUInt64LE(2n ** 63n + 5n, offset));
    object.load();
    assert.equal(run(object, "globals"), XDP_PASS);
    assert.deepEqual(rows(object, "globals_seen"), [200n, 0xfedcba98n, 0x01020304n, 2n ** 63n + 5n]);
  });

  test("a value of another size is refused", () => {
    using object = open("globals");
    assert.throws(() => object.setInitialValue(mapOf(object, ".data"), Buffer.alloc(5)), BpfLoadError);
  });

  test("a map that is shared by its name says so, and nothing is pinned", () => {
    using object = open("pinned-map");
    assert.deepEqual(
      object.maps().map(({ name, pinByName }) => ({ name, pinByName })),
      [{ name: "shared_hits", pinByName: true }],
    );
    object.load();
    assert.equal(existsSync("/sys/fs/bpf/shared_hits"), false);
    assert.equal(run(object, "shares_a"), XDP_PASS);
  });

  test("one map serves two objects", () => {
    using first = open("pinned-map");
    first.load();
    using second = open("pinned-map-other");
    using shared = Fd.duplicate(first.mapFd("shared_hits"));
    second.reuseMap("shared_hits", shared);
    second.load();
    assert.equal(mapInfo(second.mapFd("shared_hits")).id, mapInfo(shared.number).id);
    run(first, "shares_a");
    run(second, "shares_b");
    assert.deepEqual(rows(first, "shared_hits"), [2n]);
  });
});
