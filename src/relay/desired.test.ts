import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../core/prefix.ts";
import { byInput, memberships } from "./desired.ts";
import type { PlaneRule, Rule } from "./model.ts";
import type { Resolved } from "./resolve.ts";

const active = (ifindex: number, group: string, source?: string): Resolved => {
  const plane: PlaneRule = {
    id: `${ifindex}-${group}-${source}`,
    slot: 0,
    ifindex,
    group: addressBytes(group),
    port: 5000,
    vlan: 0,
    class: "normal",
    cap: {},
    outputs: [],
    ...(source !== undefined && { source: addressBytes(source) }),
  };
  return { rule: {} as Rule, state: "active", slot: 0, outputs: [], plane };
};
const waiting: Resolved = { rule: {} as Rule, state: "pending", slot: 0, outputs: [] };

test("each group is joined once on each input, single sources only where nobody wants all of them", () => {
  const wanted = memberships([
    active(1, "239.1.1.1"),
    active(1, "239.1.1.1"),
    active(2, "239.1.1.1"),
    active(1, "239.1.1.1", "10.0.0.1"),
    active(1, "232.1.1.1", "10.0.0.1"),
    active(1, "232.1.1.1", "10.0.0.2"),
    active(1, "ff3e::1"),
    active(1, "192.0.2.1"),
    waiting,
  ]);
  assert.deepEqual(wanted, [
    { ifindex: 1, group: "239.1.1.1" },
    { ifindex: 2, group: "239.1.1.1" },
    { ifindex: 1, group: "232.1.1.1", source: "10.0.0.1" },
    { ifindex: 1, group: "232.1.1.1", source: "10.0.0.2" },
    { ifindex: 1, group: "ff3e::1" },
  ]);
});

test("rules by their input, without those that wait", () => {
  const inputs = byInput([active(1, "239.1.1.1"), waiting, active(2, "239.1.1.1"), active(1, "239.1.1.2")]);
  assert.deepEqual(
    [...inputs].map(([ifindex, rules]) => [ifindex, rules.length]),
    [
      [1, 2],
      [2, 1],
    ],
  );
});
