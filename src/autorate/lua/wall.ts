/** The time of day as Lua's `os.date("*t")` has it, in the machine's time zone. */

/** A moment. */
export interface Wall {
  /** Seconds since the Unix epoch, with their fraction. */
  readonly unix: number;
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly min: number;
  /** Whole. */
  readonly sec: number;
  /** 1 (Sunday) to 7. */
  readonly wday: number;
  /** From 1. */
  readonly yday: number;
}

const DAY = 86_400_000;

/** The moment so many milliseconds after the Unix epoch. */
export function wallOf(ms: number): Wall {
  const date = new Date(ms);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return {
    unix: ms / 1000,
    year,
    month: month + 1,
    day,
    hour: date.getHours(),
    min: date.getMinutes(),
    sec: date.getSeconds(),
    wday: date.getDay() + 1,
    // By dates of UTC, for a day is not always 24 hours long here.
    yday: (Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / DAY + 1,
  };
}
