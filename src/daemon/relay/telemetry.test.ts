import assert from "node:assert/strict";
import { test } from "node:test";
import { configureLogs } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import { COUNTERS } from "../../relay/model.ts";
import type { Relay } from "../../relay/relay.ts";
import { countsOf } from "../../relay/totals.ts";
import { Telemetry } from "./telemetry.ts";

/** A relay with one rule, of which so much was counted, and a clock that is set by hand. */
async function lab(seconds: number, journal = false) {
  const lines: string[] = [];
  await configureLogs(
    { "relay.stats": "info" },
    (line) => lines.push(journal ? line : line.replace(/^\S+ /, "")),
    journal,
  );
  const state = { now: 1000, packets: 0 };
  const rule = { input: { interface: "eth{0}", group: "239.1.1.1", port: 5000 } };
  const counts = (slot: number) => countsOf(slot, [COUNTERS.map((name) => (name === "packets" ? state.packets : 0))]);
  const resolved = { rule, slot: 0, outputs: [] };
  const speed = { packetsPerSecond: 0, bitsPerSecond: 0 };
  const relay = { views: () => [{ resolved, counts, speed }], inputs: () => [] } as unknown as Relay;
  const telemetry = new Telemetry(relay, { monotonic: () => milliseconds(state.now) }, seconds);
  const at = (now: number, packets: number): string[] => {
    Object.assign(state, { now, packets });
    telemetry.tell();
    return lines.splice(0);
  };
  return { telemetry, at, lines };
}

test("lines come when they are due, and late ones delay none after them", async () => {
  const { telemetry, at } = await lab(10);
  assert.equal(telemetry.due, 11_000);
  assert.deepEqual(at(10_999, 5), []);
  const [all, ingress, , flow, ...more] = at(11_000, 20);
  assert.match(all!, /^info relay\.stats: eth\{0\}: \[STATS\] t_ms=10000 rx=20 /);
  assert.match(ingress!, /recv=20 .* \(2 pps\)$/);
  assert.match(flow!, /packets=20 /);
  assert.deepEqual(more, []);
  assert.equal(telemetry.due, 21_000);
  assert.match(at(46_000, 90)[1]!, /recv=90 .* \(2 pps\)$/, "three intervals late, over 35 s");
  assert.equal(telemetry.due, 51_000);
});

test("without an interval nothing is ever logged, and another one begins when it is set", async () => {
  const { telemetry, at, lines } = await lab(0);
  assert.deepEqual(at(1e9, 1), []);
  telemetry.finish();
  assert.equal(lines.length, 0);
  telemetry.setEvery(1);
  assert.equal(telemetry.due, 1e9 + 1000);
  assert.equal(at(1e9 + 1000, 1).length, 4);
  telemetry.finish();
  assert.equal(lines.filter((line) => line.includes(" FINAL] total: ")).length, 2);
});

test("for journald each line is in the message alone, and its interface a field", async () => {
  const { at } = await lab(1, true);
  const lines = at(2000, 3);
  assert.equal(lines.length, 4);
  for (const line of lines) assert.equal(line.split("STATS").length, 2, line);
  const { message, interface: device } = JSON.parse(lines[2]!.slice(3)) as Record<string, unknown>;
  assert.deepEqual([message, device], ["eth{0}: [STATS:Egress] sent=0 submitted=0 errors=0 bytes=0 (0 pps)", "eth{0}"]);
});
