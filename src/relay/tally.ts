/** What was counted in a slot since it was given to whom has it now, whoever counted and whatever has ended since. */
import { COUNTERS } from "./model.ts";
import { type Counts, type CounterTable, countsOf } from "./totals.ts";

/** Sums over tables that begin at other points, and over those that are gone. */
export class Tally {
  /** What tables that are gone had counted, less what slots had in them when they were given away. */
  readonly #base: Float64Array;

  /** @param slots how many there are */
  constructor(slots: number) {
    this.#base = new Float64Array(slots * COUNTERS.length);
  }

  /** Slots are given to somebody else, whose counts begin at 0. @param tables all that count now */
  begin(slots: readonly number[], tables: readonly CounterTable[]): void {
    for (const slot of slots) {
      const at = slot * COUNTERS.length;
      for (let i = at; i < at + COUNTERS.length; i += 1)
        this.#base[i] = -tables.reduce((sum, table) => sum + (table[i] ?? 0), 0);
    }
  }

  /** A table counts from now on, whatever stands in it. */
  forget(table: CounterTable): void {
    for (let i = 0; i < Math.min(table.length, this.#base.length); i += 1) this.#base[i] = this.#base[i]! - table[i]!;
  }

  /** These tables count no more, and will not be asked again. */
  retire(tables: readonly CounterTable[]): void {
    for (const table of tables)
      for (let i = 0; i < this.#base.length; i += 1) this.#base[i] = this.#base[i]! + (table[i] ?? 0);
  }

  /** The counters of a slot. @param tables all that count now */
  of(slot: number, tables: readonly CounterTable[]): Counts {
    return countsOf(slot, [this.#base, ...tables]);
  }
}
