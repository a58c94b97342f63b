import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatMessage, KEEP_ALIVE, MessageReader } from "./sse.ts";

test("what is written is read back, however it is cut into pieces", () => {
  const message = fc.record({ id: fc.nat().map(String), data: fc.json() });
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (messages, cuts) => {
      const text = messages.map((m) => formatMessage(m) + KEEP_ALIVE).join("");
      const reader = new MessageReader();
      const read = [];
      for (let at = 0, i = 0; at < text.length; i += 1) {
        const next = at + cuts[i % cuts.length]!;
        read.push(...reader.read(text.slice(at, next)));
        at = next;
      }
      assert.deepEqual(
        read,
        messages.map((m) => ({ ...m })),
      );
    }),
  );
});

test("a message may have no id", () => {
  assert.deepEqual(new MessageReader().read(formatMessage({ data: "1" })), [{ data: "1" }]);
});
