/** Counters of slots, whoever counted them, and how fast they go. Pure. */
import { COUNTERS, type Counter } from "./model.ts";

/** The counters of one slot. */
export type Counts = Readonly<Record<Counter, number>>;

/** Where the counters of a plane are: `slot * COUNTERS.length + index`. */
export type CounterTable = Readonly<ArrayLike<number>>;

/** The sum of a slot's counters over several planes. */
export function countsOf(slot: number, tables: readonly CounterTable[]): Counts {
  const at = slot * COUNTERS.length;
  const entries = COUNTERS.map((counter, index): [Counter, number] => [
    counter,
    tables.reduce((sum, table) => sum + (table[at + index] ?? 0), 0),
  ]);
  return Object.fromEntries(entries) as Record<Counter, number>;
}

/** How fast something goes. */
export interface Speed {
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
}

const STILL: Speed = { packetsPerSecond: 0, bitsPerSecond: 0 };

/** Speeds of slots between two samples. */
export class Speeds {
  #at: number | undefined;
  #before: ReadonlyMap<number, Counts> = new Map();
  #speeds: ReadonlyMap<number, Speed> = new Map();

  /** Takes a sample. @param now s */
  sample(now: number, counts: ReadonlyMap<number, Counts>): void {
    const elapsed = this.#at === undefined ? 0 : now - this.#at;
    const speeds = [...counts].map(([slot, { packets, bytes }]): [number, Speed] => {
      const before = this.#before.get(slot);
      if (!before || elapsed <= 0 || packets < before.packets) return [slot, STILL];
      const bits = (8 * (bytes - before.bytes)) / elapsed;
      return [slot, { packetsPerSecond: (packets - before.packets) / elapsed, bitsPerSecond: bits }];
    });
    this.#at = now;
    this.#before = counts;
    this.#speeds = new Map(speeds);
  }

  /** The speed of a slot. */
  of(slot: number): Speed {
    return this.#speeds.get(slot) ?? STILL;
  }
}
