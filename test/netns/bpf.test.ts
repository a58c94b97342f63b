/** The BPF bindings on the real kernel: maps with and without batches, pins, object files that do not load. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Layout, U32 } from "../../src/core/layout.ts";
import { mapInfo, openMapById, openProgramById } from "../../src/linux/bpf/info.ts";
import { BpfMap, MAP_TYPE } from "../../src/linux/bpf/map.ts";
import { BpfLoadError, BpfObject } from "../../src/linux/bpf/object.ts";
import { ensureBpffs, isBpffs, openPin, pin, unpin } from "../../src/linux/bpf/pin.ts";
import { umount2 } from "../../src/linux/ffi.ts";
import { TestBpffs } from "../helpers/bpffs.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const OBJECT = readFileSync(new URL("../../bpf/classifier.bpf.o", import.meta.url));
/** The kernel has no batches for these, and takes only the number of an interface as a value. */
const DEVMAP = 14;
const LOOPBACK = 1;

const hash = (maxEntries: number): BpfMap<number, number> =>
  BpfMap.create({ type: MAP_TYPE.HASH, name: "sluice_test", maxEntries }, U32, U32);
const byKey = (rows: [number, number][]): [number, number][] => rows.toSorted(([a], [b]) => a - b);

describe("BPF maps", () => {
  test("a map is what it was created as", () => {
    using map = hash(7);
    const { id, ...info } = map.info();
    const wanted = { type: 1, keySize: 4, valueSize: 4, maxEntries: 7, flags: 0, name: "sluice_test" };
    assert.deepEqual(info, wanted);
    using again = openMapById(id);
    assert.equal(mapInfo(again!.number).id, id);
  });

  test("rows are set, read and removed one by one", () => {
    using map = hash(2);
    assert.equal(map.get(1), undefined);
    map.set(1, 10);
    map.set(2, 20);
    map.set(1, 11);
    assert.throws(() => map.set(3, 30), { code: "E2BIG" });
    assert.deepEqual([map.get(1), map.get(2), map.get(3)], [11, 20, undefined]);
    assert.deepEqual([map.delete(1), map.delete(1)], [true, false]);
    assert.deepEqual(map.entries(), [[2, 20]]);
  });

  test("thousands of rows go in batches, more than one of them", () => {
    using map = hash(20_000);
    const rows = Array.from({ length: 10_000 }, (_, key): [number, number] => [key, key * 3]);
    map.setAll(rows);
    assert.deepEqual(byKey(map.entries()), rows);
    // Every second key is not there (any more), at the ends of batches as well.
    map.deleteAll(rows.filter(([key]) => key % 2 === 0).map(([key]) => key));
    map.deleteAll([...rows.map(([key]) => key).filter((key) => key < 9000), 77_777]);
    assert.deepEqual(
      byKey(map.entries()),
      rows.filter(([key]) => key >= 9000 && key % 2 === 1),
    );
    assert.deepEqual((map.setAll([]), map.deleteAll([]), map.entries().length), 500);
  });

  test("where the kernel has no batches rows go one by one", () => {
    using map = BpfMap.create({ type: DEVMAP, name: "sluice_test", maxEntries: 8 }, U32, U32);
    map.setAll([
      [2, LOOPBACK],
      [5, LOOPBACK],
      [6, LOOPBACK],
    ]);
    map.deleteAll([5, 7]);
    assert.deepEqual(map.entries(), [
      [2, LOOPBACK],
      [6, LOOPBACK],
    ]);
  });

  test("a value may be larger than a number", () => {
    const wide: Layout<string> = {
      size: 300,
      write: (buffer, offset, value) => void buffer.write(value, offset, 300, "latin1"),
      read: (buffer, offset) => buffer.toString("latin1", offset, offset + 300).replace(/\0.*$/s, ""),
    };
    using map = BpfMap.create({ type: MAP_TYPE.ARRAY, name: "sluice_test", maxEntries: 2 }, U32, wide);
    map.set(1, "x".repeat(300));
    assert.deepEqual(map.entries(), [
      [0, ""],
      [1, "x".repeat(300)],
    ]);
  });

  test("what is not there any more is not opened", () => {
    let id: number;
    {
      using map = hash(1);
      id = map.info().id;
    }
    assert.equal(openProgramById(0x7fff_ffff), undefined);
    // The kernel frees it a little later; until then its number still opens.
    using gone = openMapById(id);
    assert.ok(gone === undefined || mapInfo(gone.number).id === id);
  });
});

describe("pins", () => {
  let bpffs: TestBpffs;
  before(() => {
    bpffs = new TestBpffs();
  });
  after(() => bpffs[Symbol.dispose]());

  test("a pinned map outlives its descriptor", () => {
    const path = `${bpffs.path}/map`;
    {
      using map = hash(4);
      map.set(1, 2);
      pin(map.fd.number, path);
      assert.throws(() => pin(map.fd.number, path), { code: "EEXIST" });
    }
    using again = new BpfMap(openPin(path)!, U32, U32);
    assert.equal(again.get(1), 2);
    assert.deepEqual([unpin(path), unpin(path)], [true, false]);
    assert.equal(openPin(path), undefined);
  });

  test("a folder below a bpffs is just a folder", () => {
    const folder = `${bpffs.path}/a/b`;
    ensureBpffs(folder);
    ensureBpffs(folder);
    assert.equal(isBpffs(folder), true);
    assert.notEqual(umount2(folder, 0), 0, "nothing was mounted on it");
    rmdirSync(folder);
    rmdirSync(`${bpffs.path}/a`);
  });

  test("a folder elsewhere gets a bpffs of its own, once", () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-pins-"));
    ensureBpffs(`${folder}/own`);
    ensureBpffs(`${folder}/own`);
    assert.deepEqual([isBpffs(folder), isBpffs(`${folder}/own`)], [false, true]);
    assert.equal(umount2(`${folder}/own`, 0), 0);
    assert.equal(isBpffs(`${folder}/own`), false, "it was mounted once");
    rmdirSync(`${folder}/own`);
    rmdirSync(folder);
  });

  test("where no folder can be made the error names it", () => {
    assert.throws(() => ensureBpffs("/proc/sluice/pins"), { code: "BPF_PINS", message: /"\/proc\/sluice\/pins"/ });
    assert.equal(existsSync("/proc/sluice"), false);
  });
});

describe("object files", () => {
  const refusal = (body: () => void): BpfLoadError => {
    try {
      body();
    } catch (error) {
      assert.ok(error instanceof BpfLoadError, String(error));
      return error;
    }
    assert.fail("it was not refused");
  };

  test("what is no object file is refused with libbpf's words", () => {
    const error = refusal(() => BpfObject.open("rubbish", Buffer.from("rubbish, and not even much")));
    assert.equal(error.code, "BPF_LOAD");
    assert.match(error.message, /Cannot load the program rubbish: .*(ELF|elf)/);
    assert.equal(error.verifierLog, "");
  });

  test("a program that the verifier refuses is refused with its reason, and its whole log is kept", () => {
    const image = Buffer.from(OBJECT);
    // The first instruction, r6 = r1, becomes r6 = r2, which holds nothing yet.
    const start = image.indexOf(Buffer.from("bf16000000000000", "hex"));
    image[start + 1] = 0x26;
    using object = BpfObject.open("broken", image);
    const error = refusal(() => object.load());
    assert.match(error.message, /Cannot load the program broken: .*\(EACCES\).*R2 !read_ok/);
    assert.match(error.verifierLog, /r6 = r2/);
    assert.match(error.verifierLog, /processed 1 insns/);
    assert.match(error.log.join("\n"), /sluice_classify/);
  });

  test("names and sizes that the object does not have are refused", () => {
    using object = BpfObject.open("classifier", OBJECT);
    using map = hash(1);
    assert.match(refusal(() => object.reuseMap("nothing", map.fd)).message, /no map "nothing"/);
    assert.match(refusal(() => object.programFd("nothing")).message, /no program "nothing"/);
    assert.equal(refusal(() => object.setReadOnlyData(Buffer.alloc(5))).code, "BPF_LOAD");
  });

  test("a closed object is not used", () => {
    const object = BpfObject.open("classifier", OBJECT);
    object[Symbol.dispose]();
    object[Symbol.dispose]();
    assert.throws(() => object.load(), TypeError);
  });
});
