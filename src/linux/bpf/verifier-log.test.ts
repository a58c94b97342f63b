import assert from "node:assert/strict";
import { test } from "node:test";
import { foldLog } from "./verifier-log.ts";

test("the reason is kept, the instructions before it and the statistics behind it are not", () => {
  const log = [
    "0: R1=ctx() R10=fp0",
    "0: (61) r1 = *(u32 *)(r6 +76)         ; R1=pkt(r=0)",
    "1: (61) r1 = *(u32 *)(r1 +0)",
    "invalid access to packet, off=0 size=4, R1(id=1,off=0,r=0)",
    "R1 offset is outside of the packet",
    "processed 49 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 3 mark_read 0",
    "",
  ].join("\n");
  assert.equal(
    foldLog(log),
    "1: (61) r1 = *(u32 *)(r1 +0); invalid access to packet, off=0 size=4, R1(id=1,off=0,r=0); " +
      "R1 offset is outside of the packet",
  );
});

test("an empty log folds to nothing", () => {
  assert.equal(foldLog(""), "");
  assert.equal(foldLog("processed 0 insns\n"), "");
});
