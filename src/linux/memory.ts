/** How much memory the machine can still give. */
import { readFileSync } from "node:fs";
import { type Bytes, bytes } from "../core/units.ts";

/** `MemAvailable` of /proc/meminfo: what can be had without swapping. */
export function availableMemory(): Bytes {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"));
  if (!line) throw new TypeError("Cannot read MemAvailable from /proc/meminfo");
  return bytes(Number(line[1]) * 1024);
}
