/** How many CPUs a per-CPU map has values for. */
import { readFileSync } from "node:fs";

/** Counts the CPUs of a list such as `0-3,8`. */
export function countCpus(list: string): number {
  return list
    .trim()
    .split(",")
    .reduce((sum, range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      return sum + last - first + 1;
    }, 0);
}

/** The CPUs this machine may ever have; per-CPU maps hold one value for each, also for those that are off. */
export const possibleCpus = (): number => countCpus(readFileSync("/sys/devices/system/cpu/possible", "latin1"));
