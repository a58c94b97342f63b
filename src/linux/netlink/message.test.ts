import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { align, countOf, encodeOne, FLAG, MessageWriter, RTM } from "./message.ts";
import { type Attributes, Messages, TruncatedMessage } from "./reader.ts";

/** An attribute as plain data: bytes, or more attributes. */
type Tree = readonly { readonly type: number; readonly content: Uint8Array | Tree }[];

const { tree } = fc.letrec<{ tree: Tree; content: Uint8Array | Tree }>((tie) => ({
  tree: fc.array(
    fc.record({ type: fc.integer({ min: 1, max: 0x3fff }), content: tie("content") }, { noNullPrototype: true }),
    { maxLength: 4 },
  ),
  content: fc.oneof({ depthSize: "small" }, fc.uint8Array({ maxLength: 40 }), tie("tree")),
}));

function write(writer: MessageWriter, attributes: Tree): void {
  for (const { type, content } of attributes) {
    if (content instanceof Uint8Array) {
      writer.bytes(type, content);
      continue;
    }
    const nest = writer.open(type);
    write(writer, content);
    writer.close(nest);
  }
}

function read(a: Attributes, like: Tree): Tree {
  const found: { type: number; content: Uint8Array | Tree }[] = [];
  for (const { content } of like) {
    assert.ok(a.next());
    found.push({ type: a.type, content: content instanceof Uint8Array ? a.bytes() : read(a.nested(), content) });
  }
  assert.ok(!a.next());
  return found;
}

test("attributes come back as they were written, however deep, in any number of messages", () => {
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 5 }), (trees) => {
      const writer = new MessageWriter(1);
      for (const attributes of trees) {
        writer.begin(RTM.GETLINK, FLAG.REQUEST);
        writer.fixedU32(7);
        write(writer, attributes);
        writer.end();
      }
      const batch = writer.finish();
      assert.equal(countOf(batch), trees.length);
      const messages = Messages.of(batch.bytes);
      for (const attributes of trees) {
        assert.ok(messages.next());
        assert.deepEqual([messages.type, messages.flags, messages.sequence], [RTM.GETLINK, FLAG.REQUEST, 0]);
        assert.equal(messages.u32(0), 7);
        assert.deepEqual(read(messages.attributes(4), attributes), attributes);
      }
      assert.ok(!messages.next());
    }),
  );
});

test("numbers and texts come back", () => {
  const { bytes } = encodeOne(RTM.GETLINK, FLAG.REQUEST, (writer) => {
    writer.fixedU8(1);
    writer.fixedU8(2);
    writer.fixedU16(0x1234);
    writer.u8(1, 255);
    writer.u16(2, 65_535);
    writer.u32(3, 0xffff_fffe);
    writer.i32(4, -2);
    writer.u64(5, Number.MAX_SAFE_INTEGER);
    writer.string(6, "höhe");
  });
  const message = Messages.of(bytes);
  assert.ok(message.next());
  assert.deepEqual([message.u8(0), message.u8(1), message.u16(2)], [1, 2, 0x1234]);
  const a = message.attributes(4);
  const values = [() => a.u8(), () => a.u16(), () => a.u32(), () => a.i32(), () => a.u64(), () => a.string()];
  assert.deepEqual(
    values.map((value) => a.next() && value()),
    [255, 65_535, 0xffff_fffe, -2, Number.MAX_SAFE_INTEGER, "höhe"],
  );
  assert.ok(!a.is("höhe"), "is() compares ASCII only");
});

test("is() tells texts from their beginnings", () => {
  const { bytes } = encodeOne(RTM.GETLINK, 0, (writer) => writer.string(1, "htb"));
  const message = Messages.of(bytes);
  message.next();
  const a = message.attributes(0);
  a.next();
  assert.deepEqual(
    ["htb", "ht", "htbx", "hta"].map((text) => a.is(text)),
    [true, false, false, false],
  );
});

test("whatever is cut off is found out, never read", () => {
  const visit = (a: Attributes): void => {
    while (a.next()) if (a.type === 2) visit(a.nested());
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(), fc.nat({ max: 0xffff }), (content, where, length) => {
      const { bytes } = encodeOne(RTM.GETLINK, 0, (writer) =>
        write(writer, [{ type: 2, content: [{ type: 1, content }] }]),
      );
      const broken = bytes.slice(0, where % bytes.length);
      const cut = Messages.of(broken);
      if (broken.length > 0) assert.throws(() => cut.next(), TruncatedMessage);
      // A wrong length of the outer attribute: either it still fits, or it is found out.
      new DataView(bytes.buffer).setUint16(16, length, true);
      const message = Messages.of(bytes);
      assert.ok(message.next());
      try {
        visit(message.attributes(0));
      } catch (error) {
        assert.ok(error instanceof TruncatedMessage);
      }
      if (length > bytes.length - 16) assert.throws(() => visit(message.attributes(0)), TruncatedMessage);
    }),
  );
});

test("a value that is too short for its type is an error that names the attribute", () => {
  const { bytes } = encodeOne(RTM.GETLINK, 0, (writer) => writer.u16(9, 1));
  const message = Messages.of(bytes);
  message.next();
  const a = message.attributes(0);
  a.next();
  assert.throws(() => a.u32(), /Cannot read attribute 9 at byte 20: it needs 4 bytes, 2 are left/);
  assert.throws(() => message.u32(8), TruncatedMessage);
});

test("mistakes of the caller are found", () => {
  const writer = new MessageWriter();
  assert.throws(() => writer.end(), TypeError);
  writer.begin(RTM.GETLINK, 0);
  assert.throws(() => writer.begin(RTM.GETLINK, 0), TypeError);
  assert.throws(() => writer.finish(), TypeError);
  assert.throws(() => writer.bytes(1, new Uint8Array(65_532)), RangeError);
});

test("align", () => assert.deepEqual([0, 1, 3, 4, 5].map(align), [0, 4, 4, 4, 8]));
