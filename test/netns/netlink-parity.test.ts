/**
 * The two renderers of tc objects agree: what the real tc sends for the text of `src/core/tc/text.ts` is, byte for byte,
 * what `src/linux/netlink/tc` encodes for the same value. Captured with strace, so a qdisc that this kernel lacks is compared
 * as well. Masked are only the sequence number, the port id and the flag NLM_F_ACK (tc asks for acknowledgements).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ClassAt } from "../../src/core/tc/class.ts";
import { type Handle, handle, TC_CLSACT, TC_ROOT } from "../../src/core/tc/handle.ts";
import { type Cake, CAKE_ACK_FILTER, CAKE_ATM, CAKE_DIFFSERV, CAKE_FLOW, type Qdisc } from "../../src/core/tc/qdisc.ts";
import { classCommand, qdiscCommand, type Verb } from "../../src/core/tc/text.ts";
import { bitsPerSecond, bytes, megabits, microseconds } from "../../src/core/units.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { FLAG, MessageWriter, RTM } from "../../src/linux/netlink/message.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeClass } from "../../src/linux/netlink/tc/class.ts";
import { encodeQdisc } from "../../src/linux/netlink/tc/qdisc.ts";
import { Netns } from "../../src/linux/netns.ts";
import { captureTc } from "../helpers/strace.ts";

const DEV = "px0";
const TYPES = [RTM.NEWQDISC, RTM.DELQDISC, RTM.NEWTCLASS, RTM.DELTCLASS];
const VERBS: readonly Verb[] = ["add", "change", "replace", "del"];

/** The bytes with sequence number, port id and NLM_F_ACK cleared. */
function masked(message: Uint8Array): string {
  const copy = Buffer.from(message);
  copy.writeUInt16LE(copy.readUInt16LE(6) & ~FLAG.ACK, 6);
  copy.fill(0, 8, 16);
  return copy.toString("hex");
}

interface Case {
  readonly line: string;
  readonly encode: (writer: MessageWriter, ifindex: number) => void;
}

const qdiscCase = (verb: Verb, qdisc: Qdisc, parent: Handle = TC_ROOT, number: Handle = handle(0x8a)): Case => ({
  line: qdiscCommand(verb, DEV, { handle: number, parent, qdisc }),
  encode: (writer, ifindex) =>
    encodeQdisc(writer, verb, ifindex, { handle: number, parent, qdisc }, { rateTables: true }),
});

const classCase = (verb: Verb, at: ClassAt): Case => ({
  line: classCommand(verb, DEV, at),
  encode: (writer, ifindex) => encodeClass(writer, verb, ifindex, at, { rateTables: true }),
});

/** tc has no words for these zeros, which a change states to take an earlier value back, so every case sets them. */
const STATED: Partial<Cake> = { mpu: bytes(64), memlimit: bytes(4 << 20), fwmark: 0xff00 };

const cakes: readonly Cake[] = [
  { kind: "cake" },
  { kind: "cake", bandwidth: megabits(100), nat: true, wash: true, splitGso: false, ingress: true },
  { kind: "cake", bandwidth: megabits(48_000), autorateIngress: true, nat: false, wash: false },
  { kind: "cake", bandwidth: bitsPerSecond(0), splitGso: true, ingress: false, autorateIngress: false },
  { kind: "cake", bandwidth: bitsPerSecond(123_457), rtt: microseconds(1) },
  ...CAKE_DIFFSERV.map((diffserv) => ({ kind: "cake", diffserv }) as const),
  ...CAKE_FLOW.map((flow) => ({ kind: "cake", flow }) as const),
  ...CAKE_ACK_FILTER.map((ackFilter) => ({ kind: "cake", ackFilter }) as const),
  ...CAKE_ATM.map((atm) => ({ kind: "cake", atm }) as const),
  ...[1, 19, 20, 21, 100_000, 1_000_000, 3_600_000_000].map(
    (rtt) => ({ kind: "cake", rtt: microseconds(rtt) }) as const,
  ),
  ...[-64, -4, 0, 44, 256].map((overhead) => ({ kind: "cake", overhead, atm: "ptm" }) as const),
  { kind: "cake", overhead: "raw" },
  { kind: "cake", overhead: 18, mpu: bytes(64), atm: "atm", memlimit: bytes(32 << 20), fwmark: 0xff },
];

const FQ_CODELS: readonly Qdisc[] = [
  { kind: "fq_codel" },
  { kind: "fq_codel", limit: 1200, flows: 512, quantum: bytes(300), ecn: false },
  { kind: "fq_codel", target: microseconds(5000), interval: microseconds(80_000), ecn: true },
  { kind: "fq_codel", memoryLimit: bytes(4 << 20), dropBatch: 32, ceThreshold: microseconds(1250) },
  { kind: "fq_codel", flows: 65_536, target: microseconds(1), interval: microseconds(1_000_001) },
];

const OTHERS: readonly Qdisc[] = [
  { kind: "mq" },
  { kind: "htb", default: 0 },
  { kind: "htb", default: 2, r2q: 21_324 },
  { kind: "htb", default: 0xffff, r2q: 1 },
  { kind: "pfifo", limit: 1000 },
  { kind: "bfifo", limit: 250_000 },
  { kind: "tbf", rate: megabits(10), burst: bytes(10_000), limit: bytes(30_000) },
  { kind: "tbf", rate: bitsPerSecond(9999), burst: bytes(1600), limit: bytes(3000) },
  { kind: "tbf", rate: megabits(40_000), burst: bytes(10_000_000), limit: bytes(1 << 20) },
  ...[1000, 1600, 2048, 9000, 16_000].map((mtu): Qdisc => ({
    kind: "tbf",
    rate: megabits(100),
    burst: bytes(64_000),
    limit: bytes(100_000),
    peakrate: megabits(200),
    mtu: bytes(mtu),
  })),
  {
    kind: "tbf",
    rate: megabits(36_000),
    burst: bytes(1e7),
    limit: bytes(1e6),
    peakrate: megabits(80_000),
    mtu: bytes(1600),
  },
  {
    kind: "tbf",
    rate: megabits(10),
    burst: bytes(10_000),
    limit: bytes(30_000),
    framing: { overhead: 18, mpu: 64, linklayer: "ethernet" },
  },
  {
    kind: "tbf",
    rate: megabits(10),
    burst: bytes(10_000),
    limit: bytes(30_000),
    peakrate: megabits(20),
    mtu: bytes(2000),
    framing: { overhead: 44, mpu: 0, linklayer: "atm" },
  },
];

const WIDE = 8 * 2 ** 32;
const RATES: readonly (readonly [rate: number, ceil: number])[] = [
  [64_000, 1e6],
  [2_500_000, 5e6],
  [12_345_672, 99_999_992],
  [1e9, 1e10],
  [WIDE - 8, WIDE - 8],
  [WIDE - 8, WIDE],
  [WIDE, WIDE + 8],
  [4e10, 4e11],
];
const BURSTS = [1600, 12_500, 1 << 20];

const classes: readonly ClassAt[] = RATES.flatMap(([rate, ceil], i) =>
  BURSTS.map((burst, j) => ({
    classid: handle(1, 0x400 + i),
    parent: handle(1, j),
    htb: {
      rate: bitsPerSecond(rate),
      ceil: bitsPerSecond(ceil),
      burst: bytes(burst),
      cburst: bytes(burst + 15),
      quantum: bytes(1514 + i),
      prio: i % 8,
      ...(j === 1 && { framing: { overhead: i, mpu: 64, linklayer: i % 2 === 0 ? "ethernet" : "atm" } as const }),
    },
  })),
);

describe("tc text and netlink messages are the same", () => {
  let ns: Netns;
  let ifindex = 0;

  before(() => {
    ns = Netns.create();
    const link = ["link", "add", DEV, "numtxqueues", "4", "type", "veth", "peer", "name", "px1"];
    const made = ns.run(() => spawnSync("ip", link, { encoding: "utf8" }));
    assert.equal(made.status, 0, made.stderr);
    using socket = RtnlSocket.open(ns);
    ifindex = dumpLinks(socket).find((found) => found.name === DEV)!.ifindex;
  });
  after(() => ns[Symbol.dispose]());

  function compare(cases: readonly Case[]): void {
    const theirs = captureTc(
      ns,
      cases.map(({ line }) => line),
      TYPES,
    );
    const writer = new MessageWriter();
    for (const { encode } of cases) encode(writer, ifindex);
    const { bytes: ours, starts } = writer.finish();
    for (const [i, { line }] of cases.entries())
      assert.equal(masked(ours.subarray(starts[i], starts[i + 1])), masked(theirs[i]!), `tc ${line}`);
  }

  const every = (qdisc: Qdisc): Case[] => VERBS.map((verb) => qdiscCase(verb, qdisc));

  test("cake, all options", () => {
    compare(cakes.map((qdisc) => qdiscCase("add", qdisc)));
    compare(cakes.flatMap((qdisc) => every({ ...STATED, ...qdisc })));
  });
  test("cake, a change of the bandwidth alone", () => {
    const at = {
      handle: handle(0x8a),
      parent: handle(1, 0x10),
      qdisc: { kind: "cake", bandwidth: megabits(12.5) },
    } as const;
    const line = qdiscCommand("change", DEV, at, true);
    assert.equal(line, `qdisc change dev ${DEV} parent 1:10 handle 8a: cake bandwidth 12500kbit`);
    compare([{ line, encode: (writer, index) => encodeQdisc(writer, "change", index, at, { partial: true }) }]);
  });
  test("fq_codel, all options", () => compare(FQ_CODELS.flatMap(every)));
  test("mq, htb, pfifo, bfifo and tbf", () => compare(OTHERS.flatMap(every)));
  test("clsact and ingress", () => {
    compare(
      (["clsact", "ingress"] as const).flatMap((kind) =>
        VERBS.map((verb) => qdiscCase(verb, { kind }, TC_CLSACT, handle(0xffff))),
      ),
    );
  });
  test("places and handles", () => {
    const fifo: Qdisc = { kind: "bfifo", limit: 3000 };
    const places = [TC_ROOT, handle(1), handle(0x7fff, 0x10), handle(1, 0xffff)];
    const handles = [handle(0), handle(1), handle(0xfffe)];
    compare(
      places.flatMap((parent) =>
        handles.flatMap((number) => VERBS.map((verb) => qdiscCase(verb, fifo, parent, number))),
      ),
    );
  });
  test("htb classes below and above 2^32 bytes/s", () => {
    compare(VERBS.flatMap((verb) => classes.map((at) => classCase(verb, at))));
  });
});
