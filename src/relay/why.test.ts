import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS, REASONS, type Rule } from "./model.ts";
import type { RuleView } from "./relay.ts";
import type { Counts } from "./totals.ts";
import { type InputFact, why } from "./why.ts";

const NONE = Object.fromEntries(COUNTERS.map((counter) => [counter, 0])) as Record<keyof Counts, number>;
const CLEAN = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as InputFact["passedOver"];
const GROUP = "239.1.1.1";

const RULE: Rule = {
  id: "x",
  name: "video",
  input: { interface: "eth0", group: GROUP, port: 5000 },
  outputs: [{ interface: "eth1", group: "239.2.2.2", port: 6000, ttl: 4, source: { kind: "rewrite" } }],
  engine: "auto",
  class: "normal",
  cap: {},
  origin: "static",
};

interface Case {
  readonly rule?: Partial<Rule>;
  readonly view?: Partial<Omit<RuleView, "resolved">>;
  readonly state?: RuleView["resolved"]["state"];
  readonly reason?: string;
  readonly outputReason?: string;
  readonly own?: Partial<Counts>;
  readonly copies?: Partial<Counts>;
  readonly input?: Partial<InputFact>;
}

function codes(group: string, { rule, view, state = "active", reason, outputReason, own, copies, input }: Case = {}) {
  const found = why(group, {
    views: [
      {
        resolved: {
          rule: { ...RULE, ...rule },
          state,
          slot: 0,
          outputs: [{ slot: 1, ...(outputReason !== undefined && { reason: outputReason }) }],
          ...(reason !== undefined && { reason }),
        },
        carriedBy: "kernel",
        joined: true,
        counts: (slot) => ({ ...NONE, ...(slot === 0 ? { packets: 7, ...own } : { packets: 7, ...copies }) }),
        speed: { packetsPerSecond: 0, bitsPerSecond: 0 },
        ...view,
      },
    ],
    inputs: [
      {
        device: "eth0",
        passedOver: CLEAN,
        ringDrops: 0,
        workers: [{ state: "running", restarts: 0 }],
        ...input,
      },
    ],
  });
  for (const { text, severity, remedy } of found)
    assert.ok(text !== "" && (severity === "info" || remedy !== ""), text);
  return found.map(({ code }) => code);
}

test("what works is said so", () => {
  assert.deepEqual(codes(GROUP), ["carried"]);
  assert.deepEqual(codes("239.2.2.2"), ["carried"], "the group that copies go to is asked for as well");
});

test("no relay, no rule", () => {
  assert.equal(why(GROUP, { views: undefined, inputs: [] })[0]!.code, "off");
  assert.deepEqual(codes("239.9.9.9"), ["no-rule"]);
});

test("each cause is found, and stands before what only tells", () => {
  const running = { state: "running", restarts: 0 } as const;
  const cases: readonly (readonly [Case, readonly string[]])[] = [
    [{ state: "pending", reason: "interface eth0 is not there" }, ["not-active"]],
    [{ state: "idle", reason: "none of its outputs can be used" }, ["not-active"]],
    [{ input: { workers: [{ ...running, state: "restarting", reason: "it died" }] } }, ["worker-down", "carried"]],
    [{ view: { joined: "no buffer space" } }, ["not-joined", "carried"]],
    [{ own: { packets: 0 }, copies: { packets: 0 } }, ["no-packet"]],
    [
      { own: { packets: 0 }, copies: { packets: 0 }, input: { passedOver: { ...CLEAN, noRule: 5, fragment: 1 } } },
      ["no-packet", "passed-over"],
    ],
    [{ outputReason: "interface eth1 is down" }, ["output-unusable", "carried"]],
    [{ copies: { sendErrors: 1 } }, ["not-sent", "carried"]],
    [{ copies: { tooLarge: 2 } }, ["too-large", "carried"]],
    [{ own: { capped: 3, shed: 4 } }, ["capped", "shed", "carried"]],
    [{ input: { ringDrops: 9 } }, ["ring-full", "carried"]],
    [{ view: { carriedBy: "user", kernelReason: "it has 70 outputs, more than 60" } }, ["user-plane", "carried"]],
    [{ rule: { outputs: [{ ...RULE.outputs[0]!, ttl: 1 }] } }, ["ttl", "carried"]],
    [{ rule: { outputs: [{ ...RULE.outputs[0]!, source: { kind: "preserve" } }] } }, ["rpf", "carried"]],
  ];
  for (const [given, wanted] of cases) assert.deepEqual(codes(GROUP, given), wanted, JSON.stringify(given));
});
