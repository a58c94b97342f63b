/** Options of CAKE as attributes (TCA_CAKE_*, linux/pkt_sched.h). */
import { type Cake, CAKE_ACK_FILTER, CAKE_ATM, CAKE_DIFFSERV, CAKE_FLOW } from "../../../core/tc/qdisc.ts";
import { bytes, microseconds } from "../../../core/units.ts";
import type { MessageWriter } from "../message.ts";
import type { Attributes } from "../reader.ts";
import { bytesPerSecond, readRate64 } from "./rate.ts";
import { TCA } from "./tcmsg.ts";

const CAKE = {
  BASE_RATE64: 2,
  DIFFSERV_MODE: 3,
  ATM: 4,
  FLOW_MODE: 5,
  OVERHEAD: 6,
  RTT: 7,
  TARGET: 8,
  AUTORATE: 9,
  MEMORY: 10,
  NAT: 11,
  RAW: 12,
  WASH: 13,
  MPU: 14,
  INGRESS: 15,
  ACK_FILTER: 16,
  SPLIT_GSO: 17,
  FWMARK: 18,
} as const;

/** CAKE wants its target stated beside its interval; tc takes a twentieth. */
const targetOf = (rtt: number): number => Math.max(1, Math.trunc(rtt / 20));

/** Writes what the value states, in the order in which tc does. */
export function encodeCake(writer: MessageWriter, q: Cake): void {
  const u32 = (type: number, value: number | boolean | undefined): void => {
    if (value !== undefined) writer.u32(type, Number(value));
  };
  const word = <T>(type: number, words: readonly T[], value: T | undefined): void => {
    if (value !== undefined) writer.u32(type, words.indexOf(value));
  };
  const options = writer.open(TCA.OPTIONS);
  if (q.bandwidth !== undefined) writer.u64(CAKE.BASE_RATE64, bytesPerSecond(q.bandwidth));
  word(CAKE.DIFFSERV_MODE, CAKE_DIFFSERV, q.diffserv);
  // As in tc, `raw` is about the whole link layer: it takes an earlier overhead and cell mode back.
  const raw = q.overhead === "raw";
  word(CAKE.ATM, CAKE_ATM, q.atm ?? (raw ? "noatm" : undefined));
  word(CAKE.FLOW_MODE, CAKE_FLOW, q.flow);
  if (q.overhead !== undefined) writer.i32(CAKE.OVERHEAD, q.overhead === "raw" ? 0 : q.overhead);
  if (raw) writer.u32(CAKE.RAW, 0);
  u32(CAKE.MPU, q.mpu);
  if (q.rtt !== undefined) {
    writer.u32(CAKE.RTT, q.rtt);
    writer.u32(CAKE.TARGET, targetOf(q.rtt));
  }
  // A stated bandwidth ends the automatic one, unless that is asked for too.
  u32(CAKE.AUTORATE, q.autorateIngress ?? (q.bandwidth === undefined ? undefined : false));
  u32(CAKE.MEMORY, q.memlimit);
  u32(CAKE.FWMARK, q.fwmark);
  u32(CAKE.NAT, q.nat);
  u32(CAKE.WASH, q.wash);
  u32(CAKE.SPLIT_GSO, q.splitGso);
  u32(CAKE.INGRESS, q.ingress);
  word(CAKE.ACK_FILTER, CAKE_ACK_FILTER, q.ackFilter);
  writer.close(options);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the options; a number that names no known mode is left out. */
export function decodeCake(options: Attributes | undefined): Cake {
  const q: Mutable<Cake> = { kind: "cake" };
  const a = options;
  const word = <K extends "diffserv" | "flow" | "ackFilter" | "atm">(key: K, words: readonly Cake[K][], n: number) => {
    const value = words[n];
    if (value !== undefined) q[key] = value;
  };
  while (a?.next()) {
    switch (a.type) {
      case CAKE.BASE_RATE64:
        q.bandwidth = readRate64(a);
        break;
      case CAKE.DIFFSERV_MODE:
        word("diffserv", CAKE_DIFFSERV, a.u32());
        break;
      case CAKE.ATM:
        word("atm", CAKE_ATM, a.u32());
        break;
      case CAKE.FLOW_MODE:
        word("flow", CAKE_FLOW, a.u32());
        break;
      case CAKE.ACK_FILTER:
        word("ackFilter", CAKE_ACK_FILTER, a.u32());
        break;
      case CAKE.RAW:
        q.overhead = "raw";
        break;
      case CAKE.OVERHEAD:
        // A raw CAKE shows the overhead that it does not use, too.
        if (q.overhead !== "raw") q.overhead = a.i32();
        break;
      case CAKE.MPU:
        q.mpu = bytes(a.u32());
        break;
      case CAKE.RTT:
        q.rtt = microseconds(a.u32());
        break;
      case CAKE.AUTORATE:
        q.autorateIngress = a.u32() !== 0;
        break;
      case CAKE.MEMORY:
        q.memlimit = bytes(a.u32());
        break;
      case CAKE.FWMARK:
        q.fwmark = a.u32();
        break;
      case CAKE.NAT:
        q.nat = a.u32() !== 0;
        break;
      case CAKE.WASH:
        q.wash = a.u32() !== 0;
        break;
      case CAKE.SPLIT_GSO:
        q.splitGso = a.u32() !== 0;
        break;
      case CAKE.INGRESS:
        q.ingress = a.u32() !== 0;
        break;
    }
  }
  return q;
}
