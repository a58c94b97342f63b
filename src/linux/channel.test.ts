import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { checkFds } from "../../test/helpers/leaks.ts";
import { Channel, LARGEST_MESSAGE } from "./channel.ts";
import { sendto } from "./ffi.ts";
import { MOST_DESCRIPTORS } from "./rights.ts";

checkFds();

test("messages keep their borders and their order, both ways", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  using _right = right;
  assert.equal(right.receive(), undefined);
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }), (messages) => {
      for (const [from, to] of [
        [left, right],
        [right, left],
      ] as const) {
        for (const message of messages) assert.equal(from.send(message), true);
        // As texts: some values, such as -0, have no text of their own.
        assert.equal(JSON.stringify(messages.map(() => to.receive()?.message)), JSON.stringify(messages));
        assert.equal(to.receive(), undefined);
      }
    }),
  );
  assert.equal(left.ended, false);
});

test("descriptors arrive as open files of their own, closed on exec", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  using _right = right;
  const file = openSync(import.meta.filename, "r");
  const { ino } = fstatSync(file);
  left.send({ one: 1 }, [file]);
  left.send({ none: 1 });
  left.send(
    { all: 1 },
    Array.from({ length: MOST_DESCRIPTORS }, () => file),
  );
  closeSync(file);
  for (const count of [1, 0, MOST_DESCRIPTORS]) {
    const { fds } = right.receive()!;
    assert.equal(fds.length, count);
    for (const fd of fds) {
      assert.equal(fstatSync(fd.number).ino, ino);
      fd[Symbol.dispose]();
    }
  }
});

test("what is too large is refused, and nothing of it sent", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  using _right = right;
  const text = "x".repeat(LARGEST_MESSAGE - 8);
  assert.equal(left.send({ a: text }), true);
  assert.deepEqual(right.receive()?.message, { a: text });
  assert.throws(() => left.send({ a: `${text}x` }), /Cannot send a message of 65537 bytes, wanted 65536 at most/);
  const fds = Array.from({ length: MOST_DESCRIPTORS + 1 }, () => left.fd);
  assert.throws(() => left.send({}, fds), /Cannot send 254 descriptors at once, wanted 253 at most/);
  assert.throws(() => left.send({}, [99_999]), { code: "EBADF" });
  assert.equal(right.receive(), undefined);
});

test("an end that does not read takes no more, and blocks nobody", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  using _right = right;
  const message = { text: "x".repeat(10_000) };
  let sent = 0;
  while (left.send(message)) sent += 1;
  assert.ok(sent > 1 && sent < 1000, `${sent} were taken`);
  assert.equal(left.ended, false);
  for (; sent > 0; sent -= 1) assert.deepEqual(right.receive()?.message, message);
  assert.equal(right.receive(), undefined);
  assert.equal(left.send(message), true);
});

test("an end that is closed is seen by the other, after what it said last", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  right.send({ last: 1 });
  left.send({ unread: 1 });
  right[Symbol.dispose]();
  assert.equal(left.send({}), false);
  const all = [];
  for (let next = left.receive(); next || !left.ended; next = left.receive()) if (next) all.push(next.message);
  assert.deepEqual(all, [{ last: 1 }]);
  assert.equal(left.ended, true);
  assert.equal(left.receive(), undefined);
});

test("a message that is no JSON is refused, and the next is read", () => {
  const [left, right] = Channel.pair();
  using _left = left;
  using _right = right;
  const text = Buffer.from("{half");
  assert.equal(sendto(left.fd, text, text.length, 0, null, 0), text.length);
  left.send({ next: 1 });
  assert.throws(() => right.receive(), SyntaxError);
  assert.deepEqual(right.receive()?.message, { next: 1 });
});
