import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeOne, type MessageWriter, RTM } from "../message.ts";
import { type Attributes, Messages } from "../reader.ts";
import { decodeCakeStats } from "./cake-stats.ts";
import { readCounters, readHtbCounters } from "./stats.ts";

function attributes(write: (writer: MessageWriter) => void): Attributes {
  const message = Messages.of(encodeOne(RTM.NEWQDISC, 0, write).bytes);
  message.next();
  return message.attributes(0);
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);

test("counters", () => {
  const basic = new Uint8Array(16);
  const view = new DataView(basic.buffer);
  view.setBigUint64(0, 2n ** 52n + 1n, true);
  view.setUint32(8, 77, true);
  const write = (wide: boolean) => (writer: MessageWriter) => {
    writer.bytes(1, basic);
    if (wide) writer.u64(8, 2 ** 32 + 77);
    writer.bytes(3, words(1, 2, 3, 4, 5));
    writer.bytes(4, words(10, 11, 12, -13, -14));
  };
  const expected = { bytes: 2 ** 52 + 1, packets: 77, qlen: 1, backlog: 2, drops: 3, requeues: 4, overlimits: 5 };
  assert.deepEqual(readCounters(attributes(write(false))), expected);
  assert.deepEqual(readCounters(attributes(write(true))), { ...expected, packets: 2 ** 32 + 77 });
  assert.deepEqual(readHtbCounters(attributes(write(false))), {
    lends: 10,
    borrows: 11,
    giants: 12,
    tokens: -13,
    ctokens: -14,
  });
});

test("CAKE's tins", () => {
  const stats = decodeCakeStats(
    attributes((writer) => {
      writer.u64(2, 2 ** 33);
      writer.u32(3, 4 << 20);
      writer.u32(4, 12_345);
      const tins = writer.open(10);
      for (const n of [1, 2]) {
        const tin = writer.open(n);
        for (let type = 2; type <= 25; type += 1) {
          if ([3, 5, 7, 9, 12].includes(type)) writer.u64(type, n * 2 ** 33 + type);
          else writer.u32(type, n * 1000 + type);
        }
        writer.close(tin);
      }
      writer.close(tins);
      writer.u32(9, 1500);
    }),
  );
  assert.deepEqual([stats.capacity, stats.memoryLimit, stats.memoryUsed], [2 ** 33, 4 << 20, 12_345]);
  assert.deepEqual([stats.maxAdjustedLength, stats.minAdjustedLength], [1500, 0]);
  assert.equal(stats.tins.length, 2);
  const [, second] = stats.tins;
  assert.deepEqual(second, {
    sentPackets: 2002,
    sentBytes: 2 * 2 ** 33 + 3,
    droppedPackets: 2004,
    droppedBytes: 2 * 2 ** 33 + 5,
    ackDroppedPackets: 2006,
    ackDroppedBytes: 2 * 2 ** 33 + 7,
    ecnPackets: 2008,
    ecnBytes: 2 * 2 ** 33 + 9,
    backlogPackets: 2010,
    backlogBytes: 2011,
    thresholdRate: 2 * 2 ** 33 + 12,
    target: 2013,
    interval: 2014,
    wayIndirectHits: 2015,
    wayMisses: 2016,
    wayCollisions: 2017,
    peakDelay: 2018,
    averageDelay: 2019,
    baseDelay: 2020,
    sparseFlows: 2021,
    bulkFlows: 2022,
    unresponsiveFlows: 2023,
    maxPacketLength: 2024,
    quantum: 2025,
  });
});
