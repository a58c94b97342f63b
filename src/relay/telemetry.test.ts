import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counter, COUNTERS, REASONS, type Rule } from "./model.ts";
import type { RuleView } from "./relay.ts";
import { finalLines, type InputTotals, inputTotals, intervalLines } from "./telemetry.ts";
import type { Counts } from "./totals.ts";

const counts = (some: Partial<Record<Counter, number>>): Counts =>
  ({ ...Object.fromEntries(COUNTERS.map((name) => [name, 0])), ...some }) as Counts;

/** A rule, and what was counted of it and of each of its outputs. */
function viewOf(
  device: string,
  group: string,
  taken: Partial<Counts>,
  ...copies: readonly Partial<Counts>[]
): RuleView {
  const table = [taken, ...copies].map((each) => counts(each));
  const rule = { id: group, input: { interface: device, group, port: 5000 } } as Rule;
  return {
    resolved: { rule, state: "active", slot: 0, outputs: copies.map((_, index) => ({ slot: index + 1 })) },
    counts: (slot: number) => table[slot]!,
    speed: { packetsPerSecond: 99.6, bitsPerSecond: 800.4 },
  } as unknown as RuleView;
}

const VIEWS = [
  viewOf(
    "eth0",
    "239.1.1.1",
    { packets: 10, bytes: 1000 },
    { packets: 10, bytes: 1000 },
    { packets: 7, bytes: 700, sendErrors: 3 },
  ),
  viewOf("eth0", "239.1.1.2", { packets: 11, bytes: 50, shed: 6 }, { packets: 4, bytes: 40, tooLarge: 1 }),
  viewOf("eth1", "ff3e::1", { packets: 2, bytes: 20 }, { packets: 2, bytes: 20 }),
];
const none = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<(typeof REASONS)[number], number>;
const INPUTS = [
  { device: "eth1", passedOver: { ...none, badLength: 1 }, ringDrops: 0 },
  { device: "eth0", passedOver: { ...none, noRule: 2, fragment: 3 }, ringDrops: 4 },
];
const TIMES = { since: 12_345.5, elapsed: 2000 };

/** What the two interfaces did. */
function both(): readonly [InputTotals, InputTotals] {
  const [eth0, eth1, ...others] = inputTotals(VIEWS, INPUTS);
  assert.deepEqual(others, []);
  return [eth0!, eth1!];
}

test("an interval has lines of each input: of all, by direction, and of each rule", () => {
  const [eth0, eth1] = both();
  assert.equal(eth0.device, "eth0");
  assert.deepEqual(intervalLines(eth0, undefined, TIMES), [
    "[STATS] t_ms=12346 rx=30 tx=21 matched=15 not_matched=2 rx_err=3 tx_err=4 buf_exhaust=10 pipe_err=0",
    "[STATS:Ingress] recv=30 matched=15 parse_err=3 no_match=2 buf_exhaust=10 (15 pps)",
    "[STATS:Egress] sent=21 submitted=25 errors=4 bytes=1740 (11 pps)",
    "[FLOW_STATS] 239.1.1.1:5000 packets=10 bytes=1000 pps=100 bps=800",
    "[FLOW_STATS] 239.1.1.2:5000 packets=11 bytes=50 pps=100 bps=800",
  ]);
  assert.equal(eth1.device, "eth1");
  assert.deepEqual(intervalLines(eth1, undefined, TIMES), [
    "[STATS] t_ms=12346 rx=3 tx=2 matched=2 not_matched=0 rx_err=1 tx_err=0 buf_exhaust=0 pipe_err=0",
    "[STATS:Ingress] recv=3 matched=2 parse_err=1 no_match=0 buf_exhaust=0 (2 pps)",
    "[STATS:Egress] sent=2 submitted=2 errors=0 bytes=20 (1 pps)",
    "[FLOW_STATS] [ff3e::1]:5000 packets=2 bytes=20 pps=100 bps=800",
  ]);
});

test("rates of directions are those since the lines before, and never below nothing", () => {
  const [eth0] = both();
  const rates = (before: InputTotals): string[] =>
    intervalLines(eth0, before, TIMES).flatMap((line) => /\(.*\)$/.exec(line) ?? []);
  assert.deepEqual(rates({ ...eth0, received: 10, sent: 1 }), ["(10 pps)", "(10 pps)"]);
  assert.deepEqual(rates({ ...eth0, received: 1000, sent: 1000 }), ["(0 pps)", "(0 pps)"]);
});

test("the end has a line of what came, and one of what went", () => {
  const [eth0] = both();
  assert.deepEqual(finalLines(eth0), [
    "[STATS:Ingress FINAL] total: recv=30 matched=15 egr_sent=25 filtered=3 no_match=2 buf_exhaust=10",
    "[STATS:Egress FINAL] total: sent=21 submitted=25 ch_recv=25 errors=4 bytes=1740",
  ]);
});

test("without rules there are no inputs, and one that is not there has done nothing", () => {
  assert.deepEqual(inputTotals([], INPUTS), []);
  const [gone] = inputTotals([viewOf("eth9", "239.1.1.1", {}, {})], INPUTS);
  assert.match(finalLines(gone!)[0]!, /recv=0 matched=0 egr_sent=0 filtered=0 no_match=0 buf_exhaust=0$/);
});
