/** HTB classes as typed values, and the arithmetic by which tc and the kernel hold bursts. */
import { type BitsPerSecond, type Bytes, bytes } from "../units.ts";
import { type Framing, sameFraming } from "./framing.ts";
import type { Handle } from "./handle.ts";

/** The parameters of an HTB class (tc-htb(8)). Rates are kept by the kernel in whole bytes per second. */
export interface HtbClass {
  /** What the class gets for certain. */
  readonly rate: BitsPerSecond;
  /** What it may borrow up to. */
  readonly ceil: BitsPerSecond;
  /** Bytes that may be sent at once at `rate`. */
  readonly burst: Bytes;
  /** Bytes that may be sent at once at `ceil`. */
  readonly cburst: Bytes;
  /** Bytes served per round when classes share what is left over. */
  readonly quantum: Bytes;
  /** 0 first .. 7 last, when borrowing. */
  readonly prio: number;
  /** How lengths are reckoned, for both rates; absent: as they are. */
  readonly framing?: Framing;
}

/** A class with its place on a device. */
export interface ClassAt {
  readonly classid: Handle;
  readonly parent: Handle;
  readonly htb: HtbClass;
}

/** Scheduler ticks per microsecond: a tick is 64 ns on every kernel since 2.6.31 (PSCHED_SHIFT 6). */
const TICKS_PER_MICROSECOND = 15.625;

/**
 * How long `size` bytes take at `rate`, in scheduler ticks, computed as iproute2 computes it (tc_core.c: whole
 * microseconds, then whole ticks), so that both write the same number into the kernel.
 */
export function transmitTicks(rate: BitsPerSecond, size: number): number {
  const bytesPerSecond = Math.floor(rate / 8);
  return Math.trunc(Math.trunc(1e6 * (size / bytesPerSecond)) * TICKS_PER_MICROSECOND);
}

/** The smallest burst that {@link transmitTicks} turns into these ticks: what a dump's tick count stands for. */
export function bytesOfTicks(rate: BitsPerSecond, ticks: number): Bytes {
  const bytesPerSecond = Math.floor(rate / 8);
  const time = Math.ceil(ticks / TICKS_PER_MICROSECOND);
  let size = Math.ceil((time * bytesPerSecond) / 1e6);
  // Division rounds: step over the last unit in the last place, either way.
  while (size > 0 && transmitTicks(rate, size - 1) >= ticks) size -= 1;
  while (transmitTicks(rate, size) < ticks) size += 1;
  return bytes(size);
}

/**
 * Whether the kernel would hold the same numbers for both.
 *
 * @param inner whether the class has children: the kernel then ignores changes of quantum and prio, which only leaves use
 *   (net/sched/sch_htb.c, htb_change_class), so they do not count
 */
export function sameClass(a: HtbClass, b: HtbClass, inner = false): boolean {
  return (
    Math.floor(a.rate / 8) === Math.floor(b.rate / 8) &&
    Math.floor(a.ceil / 8) === Math.floor(b.ceil / 8) &&
    (inner || (a.quantum === b.quantum && a.prio === b.prio)) &&
    sameFraming(a.framing, b.framing) &&
    transmitTicks(a.rate, a.burst) === transmitTicks(b.rate, b.burst) &&
    transmitTicks(a.ceil, a.cburst) === transmitTicks(b.ceil, b.cburst)
  );
}
