/** What a packet costs in JavaScript: to be read, to find its rule among 10,000, and to be put among those to send. */
import { addressBytes } from "../../src/core/prefix.ts";
import { Batch, MOST_PACKETS } from "../../src/relay/user/batch.ts";
import { Packet } from "../../src/relay/user/packet.ts";
import { type Frame, parse } from "../../src/relay/user/parse.ts";
import { RuleTable } from "../../src/relay/user/table.ts";
import { relayFrame } from "../../test/helpers/relay-frame.ts";
import { type Bound, formatNumber, type Section } from "../report.ts";
import { type Sample, sample } from "../sample.ts";

const RULES = 10_000;
/** Different packets, in turns: more than the processor's fastest memory has room for. */
const PACKETS = 4096;
const STRIDE = 2048;
const PORT = 5000;

interface Traffic {
  readonly family: 4 | 6;
  /** Group of a rule, by its number. */
  readonly group: (rule: number) => string;
  readonly source: string;
}

const FAMILIES: readonly Traffic[] = [
  { family: 4, group: (rule) => `239.1.${rule >>> 8}.${rule & 0xff}`, source: "192.0.2.77" },
  { family: 6, group: (rule) => `ff3e::${(rule + 1).toString(16)}`, source: "2001:db8::77" },
];

/** Nanoseconds of each call, of a body that does so many. */
function time(calls: number, rounds: number, body: () => void): Sample {
  // Compiled first.
  for (let warm = 0; warm < 20; warm += 1) body();
  const values = Array.from({ length: rounds }, () => {
    const begin = process.hrtime.bigint();
    body();
    return Number(process.hrtime.bigint() - begin) / calls;
  });
  return sample(values);
}

/** Frames of packets for rules all over the table. */
function framesOf({ group, source }: Traffic, payload: Buffer): Frame[] {
  const memory = Buffer.alloc(PACKETS * STRIDE);
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  return Array.from({ length: PACKETS }, (_, i) => {
    const bytes = relayFrame({ to: group((i * 7919) % RULES), from: source, port: PORT, payload });
    bytes.copy(memory, i * STRIDE);
    const length = bytes.length;
    return { view, at: i * STRIDE, captured: length, length, vlan: 0, bare: false, segment: 0 };
  });
}

/** Rules that leave the port open, the source, both or neither; every packet is for one of them. */
function tableOf({ family, group, source }: Traffic, kinds: number): RuleTable {
  const table = new RuleTable(family);
  for (let rule = 0; rule < RULES; rule += 1) {
    const kind = rule % kinds;
    const own = kind < 2 ? {} : { source: addressBytes(source) };
    table.set(
      String(rule),
      { group: addressBytes(group(rule)), port: kind % 2 === 0 ? PORT : 0, vlan: 0, ...own },
      rule,
    );
  }
  return table;
}

/** Measures it. */
export function micro(quick: boolean): Section {
  const rounds = quick ? 50 : 500;
  const rows: { readonly what: string; readonly time: Sample; readonly most: number }[] = [];
  for (const traffic of FAMILIES) {
    const frames = framesOf(traffic, Buffer.alloc(1400));
    const packets = frames.map((frame) => {
      const packet = new Packet();
      if (!parse(frame, packet)) throw new Error("Cannot measure by frames that are none");
      return packet;
    });
    const name = `IPv${traffic.family}`;
    const packet = new Packet();
    const read = time(PACKETS, rounds, () => {
      for (const frame of frames) parse(frame, packet);
    });
    rows.push({ what: `read a frame, ${name}`, time: read, most: 100 });
    for (const [kinds, what] of [
      [1, "rules for any source and one port"],
      [4, "rules of all four kinds"],
    ] as const) {
      const table = tableOf(traffic, kinds);
      const found = time(PACKETS, rounds, () => {
        for (const each of packets) if (table.lookup(each) < 0) throw new Error("No rule for a packet");
      });
      rows.push({ what: `find its rule, ${name}, among 10,000 ${what}`, time: found, most: 100 });
    }
    const batch = new Batch();
    const added = time(PACKETS, rounds, () => {
      batch.clear();
      for (let i = 0; i < MOST_PACKETS; i += 1) batch.add(packets[i]!, frames[0]!.view, 0);
    });
    rows.push({ what: `put it among those to send, ${name}`, time: added, most: 200 });
  }
  return {
    title: "A packet in the user plane",
    rows: [],
    bounds: rows.map(({ what, time: { median, min, max }, most }): Bound => ({
      what: `${what}: at most ${most} ns`,
      numbers: `${formatNumber(median)} (${formatNumber(min)}..${formatNumber(max)})`,
      met: median <= most,
    })),
    remarks: [
      "Nanoseconds, of 4,096 different packets in turns. No buffer is taken: a packet is sent out of the ring's memory, and what it is put among are columns of numbers.",
    ],
  };
}
