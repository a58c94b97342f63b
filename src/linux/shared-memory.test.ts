import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../test/helpers/leaks.ts";
import { Fd } from "./fd.ts";
import { ftruncate, memfdCreate } from "./ffi.ts";
import { SharedMemory } from "./shared-memory.ts";

checkFds();

test("what one writes the other reads", () => {
  using memory = SharedMemory.create("test", 1000);
  assert.equal(memory.numbers.length, 1000);
  assert.ok(memory.numbers.every((number) => number === 0));
  using other = SharedMemory.open(Fd.duplicate(memory.fd), 1000);
  memory.numbers[999] = 2 ** 53 - 1;
  assert.equal(other.numbers[999], 2 ** 53 - 1);
  other.numbers[0] = 0.5;
  assert.equal(memory.numbers[0], 0.5);
});

test("nobody can change its size", () => {
  using memory = SharedMemory.create("test", 10);
  assert.equal(ftruncate(memory.fd, 0), -1);
  assert.equal(ftruncate(memory.fd, 4096), -1);
  using open = new Fd(memfdCreate("test", 2));
  assert.throws(() => SharedMemory.open(Fd.duplicate(open.number), 10), /Cannot use memory that may shrink/);
  assert.throws(() => SharedMemory.open(Fd.duplicate(memory.fd), 11), /Cannot map memory of 80 bytes, wanted 88/);
});

test("after it is gone its array is empty, and the other goes on", () => {
  const memory = SharedMemory.create("test", 10);
  using other = SharedMemory.open(Fd.duplicate(memory.fd), 10);
  memory.numbers[3] = 7;
  const { numbers } = memory;
  memory[Symbol.dispose]();
  memory[Symbol.dispose]();
  assert.equal(numbers.length, 0);
  assert.equal(numbers[3], undefined);
  assert.equal(other.numbers[3], 7);
});
