import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_PROCEED_ON, parseProceedOn, proceedOnMask, proceedOnNames } from "./proceed-on.ts";

test("masks have the bit of the code on XDP, and the one above it on TC", () => {
  assert.equal(proceedOnMask("xdp", DEFAULT_PROCEED_ON.xdp), 0x80000004);
  assert.equal(proceedOnMask("tc", DEFAULT_PROCEED_ON.tc), 0x80000010);
  assert.equal(proceedOnMask("tc", [-1]), 1);
  assert.equal(proceedOnMask("xdp", []), 0);
});

test("words become codes, each once, and back", () => {
  assert.deepEqual(parseProceedOn("tc", ["unspec", "pipe", "pipe"]), [-1, 3]);
  assert.deepEqual(proceedOnNames("tc", [-1, 3, 30]), ["unspec", "pipe", "dispatcher_return"]);
  assert.throws(() => parseProceedOn("xdp", ["pass", "ok", "maybe"]), { code: "USAGE", message: /"ok", "maybe"/ });
});
