import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_TRACED } from "../worker/message-codec.ts";
import { Packet } from "./packet.ts";
import { Trace } from "./trace.ts";

function packet(last: number): readonly [Packet, DataView] {
  const made = Object.assign(new Packet(), { port: 5000, segment: last, udpAt: 4 });
  made.source[0] = 0x0a000000 | last;
  made.destination[0] = 0xef010101 | 0;
  const view = new DataView(new ArrayBuffer(12));
  view.setUint16(4, 40_000 + last);
  return [made, view];
}

test("the last packets are told, the oldest first", () => {
  const trace = new Trace(4, 0);
  assert.deepEqual(trace.packets(10, 0), []);
  trace.take(...packet(1), "sent", 100);
  trace.take(...packet(2), "capped", 101);
  const [first, second] = trace.packets(10, 102);
  assert.deepEqual(first, {
    time: 100,
    source: "10.0.0.1:40001",
    destination: "239.1.1.1:5000",
    length: 1,
    outcome: "sent",
  });
  assert.deepEqual([second!.source, second!.outcome], ["10.0.0.2:40002", "capped"]);
  assert.deepEqual(
    trace.packets(1, 102).map(({ length }) => length),
    [2],
  );
});

test("older ones are forgotten", () => {
  const trace = new Trace(4, 0);
  for (let i = 1; i <= MOST_TRACED + 7; i += 1) trace.take(...packet(i), "sent", i);
  const packets = trace.packets(MOST_TRACED + 100, 0);
  assert.equal(packets.length, MOST_TRACED);
  assert.equal(packets[0]!.length, 8);
  assert.equal(packets.at(-1)!.length, MOST_TRACED + 7);
});

test("IPv6 stands in brackets", () => {
  const trace = new Trace(6, 0);
  const [made, view] = packet(0);
  made.source.set([0x20010db8, 0, 0, 1]);
  made.destination.set([0xff0e0000 | 0, 0, 0, 2]);
  trace.take(made, view, "sent", 1);
  const [seen] = trace.packets(1, 1);
  assert.deepEqual([seen!.source, seen!.destination], ["[2001:db8::1]:40000", "[ff0e::2]:5000"]);
});

test("nothing is kept for whoever has not asked for a minute", () => {
  const trace = new Trace(4, 0);
  assert.equal(trace.take(...packet(1), "sent", 59_999), true);
  assert.equal(trace.take(...packet(1), "sent", 60_000), false);
  trace.packets(1, 60_000);
  assert.equal(trace.take(...packet(1), "sent", 60_001), true);
});
