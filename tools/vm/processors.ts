/** Which processors this process may use. */
import { readFileSync } from "node:fs";

/** Reads a list as the kernel writes it: `0-2,5`. */
export const parseProcessors = (list: string): number[] =>
  list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });

/** Their numbers, ascending. */
export function allowedProcessors(): number[] {
  const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))!;
  return parseProcessors(list!);
}
