/** struct tc_ratespec, in which HTB and TBF state rates (linux/pkt_sched.h). */
import { transmitTicks } from "../../../core/tc/class.ts";
import { type Framing, PLAIN, sameFraming, wireLength } from "../../../core/tc/framing.ts";
import { type BitsPerSecond, bitsPerSecond } from "../../../core/units.ts";
import type { MessageWriter } from "../message.ts";
import type { Attributes } from "../reader.ts";

/** Bytes of a struct tc_ratespec: u8 cell_log, u8 linklayer, u16 overhead, s16 cell_align, u16 mpu, u32 rate. */
export const RATESPEC_LENGTH = 12;

/** TC_LINKLAYER_*, of which the upper bits say nothing. */
const LINKLAYER = { ethernet: 1, atm: 2 } as const;
const LINKLAYER_MASK = 0xf;
const CELL_ALIGN = 0xffff;
const LINKLAYER_IN_SPEC = 1;
const OVERHEAD_IN_SPEC = 2;
const MPU_IN_SPEC = 6;
const RATE_IN_SPEC = 8;
const U32_MAX = 0xffff_ffff;
const TABLE_ENTRIES = 256;

/** Whole bytes per second, the kernel's unit. */
export const bytesPerSecond = (rate: BitsPerSecond): number => Math.floor(rate / 8);

/** Whether a rate needs an attribute of 64 bits beside its ratespec. */
export const isWide = (rate: BitsPerSecond): boolean => bytesPerSecond(rate) > U32_MAX;

/** The rate that fits in a ratespec: all ones stand for "see the 64-bit attribute". */
export const narrow = (rate: BitsPerSecond): BitsPerSecond =>
  isWide(rate) ? bitsPerSecond(U32_MAX * 8) : bitsPerSecond(bytesPerSecond(rate) * 8);

/** By how many bits packet sizes up to `mtu` are shifted to index a table of 256 entries. */
export function cellLog(mtu: number): number {
  let log = 0;
  while (mtu >>> log >= TABLE_ENTRIES) log += 1;
  return log;
}

/** Writes a ratespec. */
export function writeRatespec(writer: MessageWriter, rate: BitsPerSecond, cell: number, framing = PLAIN): void {
  writer.fixedU8(cell);
  writer.fixedU8(LINKLAYER[framing.linklayer]);
  writer.fixedU16(framing.overhead);
  writer.fixedU16(CELL_ALIGN);
  writer.fixedU16(framing.mpu);
  writer.fixedU32(Math.min(bytesPerSecond(rate), U32_MAX));
}

/** The rate of the ratespec at an offset into an attribute. */
export const readRate = (attribute: Attributes, offset: number): BitsPerSecond =>
  bitsPerSecond(attribute.u32(offset + RATE_IN_SPEC) * 8);

/** How the ratespec at an offset reckons lengths; undefined when it takes them as they are. */
export function readFraming(attribute: Attributes, offset: number): Framing | undefined {
  const layer = attribute.u8(offset + LINKLAYER_IN_SPEC) & LINKLAYER_MASK;
  const framing: Framing = {
    overhead: attribute.u16(offset + OVERHEAD_IN_SPEC),
    mpu: attribute.u16(offset + MPU_IN_SPEC),
    linklayer: layer === LINKLAYER.atm ? "atm" : "ethernet",
  };
  return sameFraming(framing, PLAIN) ? undefined : framing;
}

/** A rate attribute of 64 bits. */
export const readRate64 = (attribute: Attributes): BitsPerSecond => bitsPerSecond(attribute.u64() * 8);

/** Writes the table of how many ticks packets of each size take; tc leaves it to the kernel to add the overhead. */
export function writeRateTable(
  writer: MessageWriter,
  type: number,
  rate: BitsPerSecond,
  cell: number,
  framing = PLAIN,
): void {
  const table = writer.open(type);
  const size = (index: number): number => wireLength(index * 2 ** cell, { ...framing, overhead: 0 });
  for (let i = 1; i <= TABLE_ENTRIES; i += 1) writer.fixedU32(transmitTicks(rate, size(i)));
  writer.close(table);
}
