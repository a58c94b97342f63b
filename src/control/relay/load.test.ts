import assert from "node:assert/strict";
import { test } from "node:test";
import type { WholeRule } from "./json.ts";
import { planLoad } from "./load.ts";

test("38: loading adds what is missing, replaces what differs, and removes only when it is told to", () => {
  const [a, b, c] = ["a", "b", "c"].map((id): WholeRule => ({
    id,
    interface: "eth0",
    group: "239.1.1.1",
    port: 1,
    outputs: [{ interface: "eth1", ttl: 1 }],
  }));
  const other = { ...b!, port: 2 };
  const turned = { outputs: a!.outputs, port: a!.port, group: a!.group, interface: a!.interface, id: "a" };
  assert.deepEqual(planLoad([turned, other], [a!, b!, c!], [], false), {
    add: [],
    replace: [other],
    remove: [],
    kept: 1,
  });
  assert.deepEqual(planLoad([a!, b!], [b!, c!], [], true), { add: [a], replace: [], remove: ["c"], kept: 1 });
  assert.deepEqual(planLoad([turned, b!], [b!], [a!], true), { add: [], replace: [], remove: [], kept: 2 });
  assert.deepEqual(planLoad([other], [], [b!], true), { add: [other], replace: [], remove: [], kept: 0 });
});
