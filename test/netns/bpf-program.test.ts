/** Programs and types that are made of bytes: loaded, described, and refused with a reason. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readBtf, loadBtf } from "../../src/linux/bpf/btf.ts";
import { BTF_KIND, BtfBuilder } from "../../src/linux/bpf/btf-codec.ts";
import { programIds } from "../../src/linux/bpf/ids.ts";
import { memoryOf, openProgramById, programInfo } from "../../src/linux/bpf/info.ts";
import { BpfMap, MAP_TYPE } from "../../src/linux/bpf/map.ts";
import { BpfLoadError } from "../../src/linux/bpf/object.ts";
import { bindMap, loadProgram, PROGRAM_TYPE, programTypeName } from "../../src/linux/bpf/program.ts";
import { testRunBare } from "../../src/linux/bpf/testrun.ts";
import { U32 } from "../../src/core/layout.ts";
import { checkFds } from "../helpers/leaks.ts";
import { returning, tinyProgram } from "../helpers/tiny-program.ts";

checkFds();

const XDP_PASS = 2;
const NOBODY = 0x7fff_ffff;
const FRAME = Buffer.alloc(64);
/** Calls the function that begins after the next instruction, and returns what it returns. */
const CALL = Buffer.from("85100000010000009500000000000000", "hex");

/** Types of `int main(struct xdp_md *ctx)` and of a function `inner` like it. */
function types(): { readonly bytes: Buffer; readonly funcInfo: Buffer } {
  const builder = new BtfBuilder();
  const int = builder.int("int", 4, true);
  const context = builder.pointer(builder.struct("xdp_md", 24));
  const proto = builder.funcProto(int, [{ name: "ctx", type: context }]);
  const [main, inner] = [builder.func("main", proto, "static"), builder.func("inner", proto, "static")];
  return { bytes: builder.encode(), funcInfo: Buffer.from(Uint32Array.of(0, main, 2, inner).buffer) };
}

describe("programs from instructions", () => {
  test("one is what it was loaded as", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS, "sluice_test");
    const info = programInfo(program.number);
    assert.deepEqual(
      { type: info.type, name: info.name, mapIds: info.mapIds, btfId: info.btfId, uid: info.uid },
      { type: PROGRAM_TYPE.XDP, name: "sluice_test", mapIds: [], btfId: 0, uid: process.getuid!() },
    );
    assert.deepEqual([info.gplCompatible, info.xlatedSize, info.verifiedInstructions], [true, 16, 2]);
    assert.match(info.tag, /^[0-9a-f]{16}$/);
    const age = process.hrtime.bigint() - info.loadedAt;
    assert.ok(age > 0n && age < 60_000_000_000n, `loaded ${age} ns ago`);
    assert.ok(memoryOf(program.number) >= 4096, `${memoryOf(program.number)} bytes`);
    using again = openProgramById(info.id);
    assert.equal(programInfo(again!.number).tag, info.tag);
  });

  test("each is listed by its id while it is loaded, in ascending order", () => {
    using owned = new DisposableStack();
    const made = Array.from({ length: 3 }, () => owned.use(tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS)));
    const ids = made.map((program) => programInfo(program.number).id);
    const listed = programIds();
    assert.deepEqual(
      ids.filter((id) => !listed.includes(id)),
      [],
    );
    assert.deepEqual(
      listed,
      listed.toSorted((a, b) => a - b),
    );
  });

  test("it runs", () => {
    for (const verdict of [1, XDP_PASS]) {
      using program = tinyProgram(PROGRAM_TYPE.XDP, verdict);
      assert.equal(testRunBare(program, FRAME, 1).verdict, verdict);
    }
  });

  test("its licence decides whether it counts as GPL", () => {
    using program = loadProgram({
      type: PROGRAM_TYPE.SCHED_CLS,
      name: "sluice_test",
      code: returning(0),
      license: "Proprietary",
    });
    assert.equal(programInfo(program.number).gplCompatible, false);
  });

  test("what the verifier refuses is refused with its reason and its log", () => {
    const exit = returning(0).subarray(8);
    const load = (): unknown =>
      loadProgram({ type: PROGRAM_TYPE.XDP, name: "sluice_wrong", code: exit, license: "GPL" });
    assert.throws(load, (error) => {
      assert.ok(error instanceof BpfLoadError);
      assert.match(error.message, /Cannot load the program sluice_wrong: .*\(EACCES\).*R0 !read_ok/);
      assert.match(error.verifierLog, /processed 1 insns/);
      return true;
    });
  });

  test("what does not get as far as the verifier is refused with the kernel's reason alone", () => {
    const load = (): unknown => loadProgram({ type: 0xffff, name: "sluice_wrong", code: returning(0), license: "GPL" });
    assert.throws(load, (error) => error instanceof BpfLoadError && error.verifierLog === "" && error.errno > 0);
  });

  test("a map that is bound to a program is shown as its own, and lives as long", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    let id: number;
    {
      using map = BpfMap.create({ type: MAP_TYPE.ARRAY, name: "sluice_test", maxEntries: 1 }, U32, U32);
      ({ id } = map.info());
      bindMap(program, map.fd);
      bindMap(program, map.fd);
    }
    assert.deepEqual(programInfo(program.number).mapIds, [id]);
  });

  test("types have the kernel's names, and those it has none for their numbers", () => {
    assert.deepEqual([PROGRAM_TYPE.SCHED_CLS, PROGRAM_TYPE.XDP, 999].map(programTypeName), [
      "sched_cls",
      "xdp",
      "type 999",
    ]);
  });
});

describe("types in the kernel", () => {
  test("a program of two functions is loaded with their types, which are read back as they were written", () => {
    const { bytes, funcInfo } = types();
    using btf = loadBtf(bytes);
    using program = loadProgram({
      type: PROGRAM_TYPE.XDP,
      name: "sluice_test",
      code: Buffer.concat([CALL, returning(XDP_PASS)]),
      license: "GPL",
      btf: { fd: btf, funcInfo },
    });
    assert.equal(testRunBare(program, FRAME, 1).verdict, XDP_PASS);
    const { btfId } = programInfo(program.number);
    assert.ok(btfId > 0);
    const read = readBtf(btfId)!;
    assert.deepEqual(
      read.types.map(({ kind, name }) => [kind, name]),
      [
        [BTF_KIND.INT, "int"],
        [BTF_KIND.STRUCT, "xdp_md"],
        [BTF_KIND.PTR, ""],
        [BTF_KIND.FUNC_PROTO, ""],
        [BTF_KIND.FUNC, "main"],
        [BTF_KIND.FUNC, "inner"],
      ],
    );
    assert.equal(read.findByName("inner", BTF_KIND.FUNC), funcInfo.readUInt32LE(12));
  });

  test("types with a fault are refused", () => {
    const builder = new BtfBuilder();
    builder.func("lost", 99, "global");
    assert.throws(() => loadBtf(builder.encode()), { code: "EINVAL", message: /^BPF_BTF_LOAD: / });
  });

  test("types that are gone are not read", () => {
    assert.equal(readBtf(NOBODY), undefined);
  });
});
