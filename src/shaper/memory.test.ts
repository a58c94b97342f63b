import assert from "node:assert/strict";
import { test } from "node:test";
import { handle } from "../core/tc/handle.ts";
import { bytes } from "../core/units.ts";
import type { ShaperAction } from "./actions.ts";
import { checkMemory } from "./memory.ts";

const leaves = (count: number, kind: "cake" | "fq_codel"): ShaperAction[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: "qdisc.add",
    dev: "lan0",
    at: { handle: handle(i + 1), parent: handle(1, i + 1), qdisc: { kind } },
  }));

test("1,060 KiB a cake and 74 KiB an fq_codel have to be there", () => {
  const actions = [...leaves(100, "cake"), ...leaves(10, "fq_codel")];
  const needed = (100 * 1060 + 10 * 74) * 1024;
  assert.deepEqual(checkMemory(actions, bytes(needed)), []);
  const [problem] = checkMemory(actions, bytes(needed - 1));
  assert.equal(problem?.code, "SHAPER_MEMORY");
  assert.match(problem?.message ?? "", /need 104 MiB .*\(100 x cake at 1060 KiB, 10 x fq_codel at 74 KiB\)/);
});
