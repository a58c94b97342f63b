import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { OBJECT, tarOf } from "../../../test/helpers/images.ts";
import { ImageFault, type ImageCode } from "./fault.ts";
import { extractObject } from "./layer.ts";
import { layerLimit, LIMITS } from "./limits.ts";

const extract = (layer: Uint8Array, limits: Partial<typeof LIMITS> = {}): Promise<Uint8Array> =>
  extractObject(layer, { ...LIMITS, ...limits });

async function refused(layer: Uint8Array, code: ImageCode, text: RegExp, limits?: Partial<typeof LIMITS>) {
  await assert.rejects(extract(layer, limits), (error) => {
    assert.ok(error instanceof ImageFault, String(error));
    assert.equal(error.code, code);
    assert.match(Object.values(error.params).join(" | "), text);
    return true;
  });
}
const invalid = (layer: Uint8Array, text: RegExp): Promise<void> => refused(layer, "IMAGE_INVALID", text);

test("takes the object out of every packing", async () => {
  const tar = await tarOf({ "counter.bpf.o": OBJECT });
  for (const layer of [gzipSync(tar), tar, gzipSync(OBJECT), OBJECT, zstdCompressSync(tar), zstdCompressSync(OBJECT)])
    assert.deepEqual(Buffer.from(await extract(layer)), OBJECT);
});

test("takes the object at the root, whatever lies beside it", async () => {
  const long = `${"n".repeat(150)}.o`;
  for (const name of ["x.o", "./x.o", ".//./x.o", long]) {
    const other = Buffer.from("MIT");
    const tar = await tarOf({
      "./": { type: "directory" },
      "licenses/": { type: "directory" },
      "licenses/copy.o": other,
      LICENSE: other,
      ".wh.old.o": new Uint8Array(),
      [name]: OBJECT,
    });
    assert.deepEqual(Buffer.from(await extract(tar)), OBJECT);
  }
});

test("refuses names that lead out of the archive", async () => {
  await invalid(await tarOf({ "../x.o": OBJECT }), /has "\.\.\/x\.o", a name that leads out of it/);
  await invalid(await tarOf({ "a/../../x.o": OBJECT }), /a name that leads out of it/);
  await invalid(await tarOf({ "x.o": OBJECT, "a\\..\\y": OBJECT }), /a name that leads out of it/);
  await invalid(await tarOf({ "x.o": OBJECT, "..": { type: "directory" } }), /a name that leads out of it/);
  const hidden = { body: OBJECT, pax: { path: "../../etc/cron.d/x.o" } };
  await invalid(await tarOf({ "x.o": hidden }), /"\.\.\/\.\.\/etc\/cron\.d\/x\.o", a name that leads out/);
});

test("refuses absolute names", async () => {
  await invalid(await tarOf({ "/x.o": OBJECT }), /has the absolute name "\/x\.o"/);
  await invalid(await tarOf({ "x.o": OBJECT, "//etc": { type: "directory" } }), /the absolute name "\/\/etc/);
});

test("refuses links and devices", async () => {
  const link = { linkname: "/etc/shadow" };
  await invalid(await tarOf({ "x.o": { type: "symlink", ...link } }), /has a link, "x\.o"/);
  await invalid(await tarOf({ "x.o": OBJECT, "y.o": { type: "link", linkname: "x.o" } }), /has a link, "y\.o"/);
  await invalid(await tarOf({ "x.o": OBJECT, y: { type: "fifo" } }), /has "y", which is a fifo/);
  await invalid(await tarOf({ "x.o": OBJECT, y: { type: "character-device" } }), /which is a character-device/);
});

test("refuses files with holes", async () => {
  const sparse = { body: OBJECT, pax: { "GNU.sparse.major": "1" } };
  await invalid(await tarOf({ "x.o": sparse }), /has "x\.o" with holes/);
});

test("refuses none and several", async () => {
  await invalid(await tarOf({}), /no object \(\.o\) at its root, only nothing/);
  await invalid(await tarOf({ "x.bin": OBJECT, "y/z.o": OBJECT }), /at its root, only "x\.bin", "y\/z\.o"/);
  const both = await tarOf({ "amd64.o": OBJECT, "arm64.o": OBJECT });
  await invalid(both, /has 2 objects, "amd64\.o", "arm64\.o"; wanted one/);
  await invalid(await tarOf({ "x\u001b[2J.txt": OBJECT }), /only "x\\u001b\[2J\.txt"/);
});

test("refuses what is no BPF object", async () => {
  const foreign = Buffer.from(OBJECT);
  foreign.writeUInt16LE(62, 18);
  for (const layer of [foreign, gzipSync(foreign), await tarOf({ "x.o": foreign })])
    await invalid(layer, /for machine 62 \(x86-64\), not for BPF/);
  await invalid(await tarOf({ "x.o": Buffer.from("#!/bin/sh") }), /its object is not usable: it is not an ELF file/);
});

test("refuses what is no archive, and damaged ones", async () => {
  await invalid(new Uint8Array(), /no ELF object and no tar archive/);
  await invalid(Buffer.from("hello"), /no ELF object and no tar archive/);
  await invalid(Buffer.alloc(5000, "hello"), /no sound tar archive: Invalid tar/);
  const tar = await tarOf({ "x.o": OBJECT });
  await invalid(tar.subarray(0, 10_000), /no sound tar archive: .*truncated/);
  const bent = Buffer.from(tar);
  bent[0] = 0x79;
  await invalid(bent, /no sound tar archive: .*checksum/);
  await invalid(gzipSync(tar).subarray(0, 4000), /damaged gzip: unexpected end of file/);
  const packed = gzipSync(tar);
  packed.writeUInt8(packed.at(-6)! ^ 1, packed.length - 6);
  await invalid(packed, /damaged gzip: incorrect data check/);
});

test("refuses archives of very many files", async () => {
  const files = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, new Uint8Array()]));
  await invalid(await tarOf(files), /has more than 1000 files/);
});

test("holds the object to its limit, and takes one that just fits", async () => {
  const exact = Buffer.alloc(LIMITS.object);
  OBJECT.forEach((byte, i) => (exact[i] = byte));
  for (const layer of [exact, gzipSync(exact), gzipSync(await tarOf({ "x.o": exact }))])
    assert.equal((await extract(layer)).length, 16_777_216);
  const more = Buffer.concat([exact, Buffer.of(0)]);
  for (const layer of [more, gzipSync(more), gzipSync(await tarOf({ "x.o": more }))])
    await refused(layer, "IMAGE_TOO_LARGE", /its object \| 16777217 bytes \| 16777216 bytes \(16 MiB\)/);
});

test("stops unpacking a bomb at the limit", async () => {
  const bomb = gzipSync(Buffer.alloc(layerLimit(LIMITS) + 1));
  assert.ok(bomb.length < 20_000, "it is small as long as it is packed");
  await refused(bomb, "IMAGE_TOO_LARGE", /its layer, unpacked, \| more \| 17039360 bytes/);
  await refused(zstdCompressSync(Buffer.alloc(1_000_000)), "IMAGE_TOO_LARGE", /unpacked/, { object: 1000 });
});

test("gives its own errors for any bytes, packed or not", async () => {
  const sound = Buffer.from(await tarOf({ "x.o": OBJECT }));
  const bent = fc.tuple(fc.nat(2048), fc.nat(255)).map(([at, value]) => {
    const copy = Buffer.from(sound);
    copy[at] = value;
    return copy;
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }).map((list) => Buffer.from(list)),
    bent,
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (given, packed) => {
      try {
        const object = await extract(packed ? gzipSync(given) : given);
        assert.ok(object.length >= 64);
      } catch (error) {
        assert.ok(error instanceof ImageFault, String(error));
      }
    }),
  );
});
