/** Byte counters that count on when what they count on is made anew. Pure. */

/** Where a counter is. */
export interface Odometer {
  /** As last read. */
  readonly read: number;
  /** Counted since the beginning. */
  readonly total: number;
}

/** At the first reading. */
export const startOdometer = (read: number): Odometer => ({ read, total: 0 });

/** The next reading; one that is lower than the last tells of a counter that began anew, and nothing of what was sent. */
export function advance(before: Odometer, read: number): { readonly odometer: Odometer; readonly restarted: boolean } {
  const restarted = read < before.read;
  return { odometer: { read, total: before.total + (restarted ? 0 : read - before.read) }, restarted };
}
