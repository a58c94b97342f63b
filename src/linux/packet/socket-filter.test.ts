import assert from "node:assert/strict";
import { test } from "node:test";
import { frameFilter } from "./socket-filter.ts";

test("a program has room for so many addresses; of more, none is looked at", () => {
  for (const family of [4, 6] as const) {
    const unicast = Array.from({ length: 40 }, () => new Uint8Array(family === 4 ? 4 : 16));
    const choice = { family, ifindex: 1, tagged: false };
    const program = frameFilter({ ...choice, unicast });
    // Each is a struct sock_filter, and the kernel takes 4096 (BPF_MAXINSNS).
    assert.ok(program.length % 8 === 0 && program.length / 8 < 4096);
    for (let at = 0; at < program.length; at += 8) {
      const end = at / 8 + 1 + Math.max(program[at + 2]!, program[at + 3]!);
      assert.ok(end <= program.length / 8, `instruction ${at / 8} jumps out of the program`);
    }
    const any = frameFilter({ ...choice, unicast: [...unicast, ...unicast] });
    assert.equal(any.length, frameFilter(choice).length + 8);
  }
});
