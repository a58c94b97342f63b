import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chunkEnd, sendChunk } from "./chunk.ts";
import { encodeOne, MessageWriter, RTM } from "./message.ts";

test("chunks cover the batch without gaps and keep to both limits unless one message is too large by itself", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 16, max: 600 }),
      (lengths, most, size) => {
        const writer = new MessageWriter();
        for (const length of lengths) {
          writer.begin(RTM.GETLINK, 0);
          writer.fixedZeros(length * 4);
          writer.end();
        }
        const batch = writer.finish();
        const bytesOf = (from: number, to: number): number => batch.starts[to]! - batch.starts[from]!;
        for (let from = 0; from < lengths.length;) {
          const to = chunkEnd(batch, from, most, size);
          assert.ok(to > from && to <= lengths.length && to - from <= most);
          assert.ok(to === from + 1 || bytesOf(from, to) <= size);
          assert.ok(to === lengths.length || to - from === most || bytesOf(from, to + 1) > size);
          from = to;
        }
      },
    ),
  );
});

test("a message whose length is wrong is never sent: the kernel would drop what follows it without a word", () => {
  const batch = encodeOne(RTM.GETLINK, 0, (writer) => writer.fixedZeros(16));
  new DataView(batch.bytes.buffer).setUint32(0, 12, true);
  assert.throws(() => sendChunk(-1, batch, 0, 1, 1, new Uint8Array(16)), /its length does not fit its 32 bytes/);
});
