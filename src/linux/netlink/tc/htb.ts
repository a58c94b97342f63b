/** The HTB qdisc and its classes as attributes (TCA_HTB_*, struct tc_htb_glob and tc_htb_opt). */
import { bytesOfTicks, type HtbClass, transmitTicks } from "../../../core/tc/class.ts";
import type { Htb } from "../../../core/tc/qdisc.ts";
import { bytes } from "../../../core/units.ts";
import type { MessageWriter } from "../message.ts";
import type { Attributes } from "../reader.ts";
import {
  bytesPerSecond,
  cellLog,
  isWide,
  RATESPEC_LENGTH,
  readFraming,
  readRate,
  readRate64,
  writeRateTable,
  writeRatespec,
} from "./rate.ts";
import { type EncodeOptions, TCA } from "./tcmsg.ts";

const HTB = { PARMS: 1, INIT: 2, CTAB: 3, RTAB: 4, RATE64: 6, CEIL64: 7 } as const;
const VERSION = 3;
const DEFAULT_R2Q = 10;
/** Largest packet that tc's tables cover when no mtu is given. */
const CELL = cellLog(1600);

/** Writes the qdisc's options. */
export function encodeHtb(writer: MessageWriter, q: Htb): void {
  const options = writer.open(TCA.OPTIONS);
  const init = writer.open(HTB.INIT);
  writer.fixedU32(VERSION);
  writer.fixedU32(q.r2q ?? DEFAULT_R2Q);
  writer.fixedU32(q.default);
  writer.fixedZeros(8);
  writer.close(init);
  writer.close(options);
}

/** Reads the qdisc's options. */
export function decodeHtb(options: Attributes | undefined): Htb {
  const a = options;
  while (a?.next()) {
    if (a.type === HTB.INIT) return { kind: "htb", default: a.u32(8), r2q: a.u32(4) };
  }
  return { kind: "htb", default: 0 };
}

/** Writes a class's options, in the order in which tc does. */
export function encodeHtbClass(writer: MessageWriter, c: HtbClass, { rateTables = false }: EncodeOptions = {}): void {
  const options = writer.open(TCA.OPTIONS);
  if (isWide(c.rate)) writer.u64(HTB.RATE64, bytesPerSecond(c.rate));
  if (isWide(c.ceil)) writer.u64(HTB.CEIL64, bytesPerSecond(c.ceil));
  const parms = writer.open(HTB.PARMS);
  writeRatespec(writer, c.rate, CELL, c.framing);
  writeRatespec(writer, c.ceil, CELL, c.framing);
  writer.fixedU32(transmitTicks(c.rate, c.burst));
  writer.fixedU32(transmitTicks(c.ceil, c.cburst));
  writer.fixedU32(c.quantum);
  writer.fixedU32(0);
  writer.fixedU32(c.prio);
  writer.close(parms);
  if (rateTables) {
    writeRateTable(writer, HTB.RTAB, c.rate, CELL, c.framing);
    writeRateTable(writer, HTB.CTAB, c.ceil, CELL, c.framing);
  }
  writer.close(options);
}

/** Reads a class's options; bursts are the smallest that give the ticks the kernel holds. */
export function decodeHtbClass(options: Attributes): HtbClass {
  const a = options;
  let rate = 0 as HtbClass["rate"];
  let ceil = 0 as HtbClass["ceil"];
  let wideRate: HtbClass["rate"] | undefined;
  let wideCeil: HtbClass["ceil"] | undefined;
  let buffer = 0;
  let cbuffer = 0;
  let quantum = 0;
  let prio = 0;
  let framing: HtbClass["framing"];
  while (a.next()) {
    switch (a.type) {
      case HTB.PARMS:
        rate = readRate(a, 0);
        framing = readFraming(a, 0);
        ceil = readRate(a, RATESPEC_LENGTH);
        buffer = a.u32(2 * RATESPEC_LENGTH);
        cbuffer = a.u32(2 * RATESPEC_LENGTH + 4);
        quantum = a.u32(2 * RATESPEC_LENGTH + 8);
        prio = a.u32(2 * RATESPEC_LENGTH + 16);
        break;
      case HTB.RATE64:
        wideRate = readRate64(a);
        break;
      case HTB.CEIL64:
        wideCeil = readRate64(a);
        break;
    }
  }
  rate = wideRate ?? rate;
  ceil = wideCeil ?? ceil;
  const [burst, cburst] = [bytesOfTicks(rate, buffer), bytesOfTicks(ceil, cbuffer)];
  return { rate, ceil, burst, cburst, quantum: bytes(quantum), prio, ...(framing && { framing }) };
}
