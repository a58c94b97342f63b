/** Options of the token bucket filter as attributes (TCA_TBF_*, struct tc_tbf_qopt). */
import { transmitTicks } from "../../../core/tc/class.ts";
import { type Framing, lengthOnWire } from "../../../core/tc/framing.ts";
import type { Tbf } from "../../../core/tc/qdisc.ts";
import { type BitsPerSecond, bitsPerSecond, type Bytes, bytes } from "../../../core/units.ts";
import type { MessageWriter } from "../message.ts";
import type { Attributes } from "../reader.ts";
import {
  bytesPerSecond,
  cellLog,
  isWide,
  narrow,
  RATESPEC_LENGTH,
  readFraming,
  readRate,
  readRate64,
  writeRateTable,
  writeRatespec,
} from "./rate.ts";
import { type EncodeOptions, TCA } from "./tcmsg.ts";

const TBF = { PARMS: 1, RTAB: 2, PTAB: 3, RATE64: 4, PRATE64: 5, BURST: 6, PBURST: 7 } as const;
/** Largest packet that tc's tables cover when no mtu is given. */
const DEFAULT_MTU = 2047;
const TICK = 64e-9;

/**
 * The time of a bucket as tc states it; above 2^32 bytes/s it reckons with the rate that the ratespec can hold. Kernels
 * since 3.14 go by the sizes in BURST and PBURST instead.
 */
const bucketTicks = (rate: BitsPerSecond, size: number): number => transmitTicks(narrow(rate), size);

/** Writes what the value states, in the order in which tc does. */
export function encodeTbf(writer: MessageWriter, q: Tbf, { rateTables = false }: EncodeOptions = {}): void {
  const cell = cellLog(q.mtu ?? DEFAULT_MTU);
  const peak = q.peakrate;
  const mtu = q.mtu ?? bytes(0);
  const options = writer.open(TCA.OPTIONS);
  const parms = writer.open(TBF.PARMS);
  writeRatespec(writer, q.rate, cell, q.framing);
  if (peak === undefined) writer.fixedZeros(RATESPEC_LENGTH);
  else writeRatespec(writer, peak, cell, q.framing);
  writer.fixedU32(q.limit);
  writer.fixedU32(bucketTicks(q.rate, q.burst));
  writer.fixedU32(peak === undefined ? 0 : bucketTicks(peak, mtu));
  writer.close(parms);
  writer.u32(TBF.BURST, q.burst);
  if (isWide(q.rate)) writer.u64(TBF.RATE64, bytesPerSecond(q.rate));
  if (rateTables) writeRateTable(writer, TBF.RTAB, q.rate, cell, q.framing);
  if (peak !== undefined) {
    if (isWide(peak)) writer.u64(TBF.PRATE64, bytesPerSecond(peak));
    writer.u32(TBF.PBURST, mtu);
    if (rateTables) writeRateTable(writer, TBF.PTAB, peak, cell, q.framing);
  }
  writer.close(options);
}

/** The size that fills a bucket in this many ticks, which the kernel rounded down. */
const sizeOfTicks = (rate: BitsPerSecond, ticks: number, framing?: Framing): Bytes =>
  bytes(lengthOnWire(Math.ceil((ticks * TICK * rate) / 8), framing));

/** Reads the options of a dump, which shows the buckets as times only. */
export function decodeTbf(options: Attributes | undefined): Tbf {
  const a = options;
  let rate = bitsPerSecond(0);
  let peak = bitsPerSecond(0);
  let limit = bytes(0);
  let bufferTicks = 0;
  let mtuTicks = 0;
  let wide: BitsPerSecond | undefined;
  let widePeak: BitsPerSecond | undefined;
  let burst: Bytes | undefined;
  let mtu: Bytes | undefined;
  let framing: Tbf["framing"];
  while (a?.next()) {
    switch (a.type) {
      case TBF.PARMS:
        rate = readRate(a, 0);
        framing = readFraming(a, 0);
        peak = readRate(a, RATESPEC_LENGTH);
        limit = bytes(a.u32(2 * RATESPEC_LENGTH));
        bufferTicks = a.u32(2 * RATESPEC_LENGTH + 4);
        mtuTicks = a.u32(2 * RATESPEC_LENGTH + 8);
        break;
      case TBF.RATE64:
        wide = readRate64(a);
        break;
      case TBF.PRATE64:
        widePeak = readRate64(a);
        break;
      case TBF.BURST:
        burst = bytes(a.u32());
        break;
      case TBF.PBURST:
        mtu = bytes(a.u32());
        break;
    }
  }
  rate = wide ?? rate;
  peak = widePeak ?? peak;
  const size = burst ?? sizeOfTicks(rate, bufferTicks, framing);
  const base: Tbf = { kind: "tbf", rate, burst: size, limit, ...(framing && { framing }) };
  return peak === 0 ? base : { ...base, peakrate: peak, mtu: mtu ?? sizeOfTicks(peak, mtuTicks, framing) };
}
