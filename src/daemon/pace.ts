/** When to look at the kernel again: not at every change, and less often the more somebody fights for it. Pure. */

/** Milliseconds of quiet before a look, and the longest that a look is put off. */
const QUIET = 300;
const LONGEST = 2000;
/** After a repair: at first this long until the next, then twice as long each time. */
const FIRST_GAP = 1000;
const LONGEST_GAP = 60_000;
/** Peace for so long, and the gaps begin anew. */
const PEACE = 300_000;
/** Repairs in a row that are worth a condition. */
const CONTESTED_AFTER = 4;

/** What is known so far; times are of a clock that never steps, in milliseconds. */
export interface Pace {
  /** When the first change came that nobody has looked at; undefined when all is seen. */
  readonly first?: number | undefined;
  readonly latest: number;
  /** Repairs in a row. */
  readonly repairs: number;
  readonly lastRepair: number;
}

/** Nothing has happened. */
export const CALM: Pace = { latest: 0, repairs: 0, lastRepair: Number.NEGATIVE_INFINITY };

/** A change came. */
export const changed = (pace: Pace, now: number): Pace => ({ ...pace, first: pace.first ?? now, latest: now });

/** The gap after so many repairs in a row. */
export const gapAfter = (repairs: number): number =>
  repairs === 0 ? 0 : Math.min(FIRST_GAP * 2 ** (repairs - 1), LONGEST_GAP);

/** When to look; undefined when there is nothing to look at. */
export function due({ first, latest, repairs, lastRepair }: Pace): number | undefined {
  if (first === undefined) return undefined;
  return Math.max(Math.min(latest + QUIET, first + LONGEST), lastRepair + gapAfter(repairs));
}

/** A look begins: what changes from now on wants another. */
export const looking = (pace: Pace): Pace => ({ ...pace, first: undefined });

/** It was looked at; `repaired` says whether something had to be put back, with success or without. */
export function looked(pace: Pace, now: number, repaired: boolean): Pace {
  if (repaired) return { ...pace, repairs: pace.repairs + 1, lastRepair: now };
  return now - pace.lastRepair >= PEACE ? { ...pace, repairs: 0 } : pace;
}

/** Whether somebody fights for it: seconds between repairs then. */
export const contested = ({ repairs }: Pace): number | undefined =>
  repairs >= CONTESTED_AFTER ? gapAfter(repairs) / 1000 : undefined;
