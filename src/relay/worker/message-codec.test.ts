import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rules.ts";
import { LARGEST_MESSAGE } from "../../linux/channel.ts";
import { MOST_TRACED, type Order, OUTPUTS_PER_MESSAGE, type Report, readReport } from "./message-codec.ts";
import { encodeRule } from "./rule-codec.ts";

const packet = { time: 1, source: "[2001:db8::1]:5", destination: "10.0.0.1:5", length: 3, outcome: "sent" };

const REPORTS: readonly Report[] = [
  { kind: "ready" },
  { kind: "ack", number: 1, hash: "00", count: 2 },
  { kind: "traced", number: 1, packets: [packet] },
  { kind: "dead", ring: 0 },
  {
    kind: "final",
    rules: 1,
    packets: 2,
    bytes: 3,
    copies: 4,
    sendErrors: 5,
    ring: { packets: 1, drops: 2, freezes: 3 },
  },
];

test("reports are read as they were said", () => {
  for (const report of REPORTS) assert.deepEqual(readReport(structuredClone(report)), report);
});

test("a report without one of its fields, or with another type, is refused", () => {
  for (const report of REPORTS)
    for (const [name, value] of Object.entries(report)) {
      const { [name]: _, ...without } = report as unknown as Record<string, unknown>;
      assert.throws(() => readReport(without), TypeError);
      const wrong = typeof value === "number" ? "1" : 1;
      assert.throws(() => readReport({ ...report, [name]: wrong }), TypeError);
      assert.throws(() => readReport({ ...report, [name]: null }), TypeError);
    }
  for (const packets of [{}, [1], [null], [{ ...packet, source: "\u001b[2J" }], [{ ...packet, time: "1" }]])
    assert.throws(() => readReport({ kind: "traced", number: 1, packets }), /packets that are none/);
});

test("anything else is refused, and nothing but TypeError is thrown", () => {
  fc.assert(fc.property(fc.anything(), (value) => assert.throws(() => readReport(value), TypeError)));
});

test("the largest messages go through a channel", () => {
  const sixteen = new Uint8Array(16).fill(255);
  const six = new Uint8Array(6).fill(255);
  const output = planeOutput({
    slot: 9_999_999,
    ifindex: 9_999_999,
    device: '"""""""""""""""',
    group: sixteen,
    port: 65_535,
    ttl: 255,
    dscp: 63,
    source: sixteen,
    ownMac: six,
    mac: six,
    mtu: 65_536,
  });
  const outputs = Array.from({ length: OUTPUTS_PER_MESSAGE }, () => output);
  const rule = encodeRule(planeRule({ id: "x".repeat(1000), group: sixteen, source: sixteen, outputs }));
  const order: Order = { kind: "rule", rule, sockets: outputs.map(() => Number.MAX_SAFE_INTEGER), more: true };
  const traced = Array.from({ length: MOST_TRACED }, () => ({
    time: Number.MAX_SAFE_INTEGER,
    source: "x".repeat(60),
    destination: "x".repeat(60),
    length: 65_535,
    outcome: "x".repeat(60),
  }));
  const report: Report = { kind: "traced", number: Number.MAX_SAFE_INTEGER, packets: traced };
  for (const message of [order, report]) assert.ok(JSON.stringify(message).length <= LARGEST_MESSAGE);
});
