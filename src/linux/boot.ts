/** Which life of the machine this is. */
import { readFileSync } from "node:fs";

/** The running boot's id, a UUID: ids that the kernel gave in another boot mean something else by now. */
export const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();

/** When the machine was started, in milliseconds since the Unix epoch. */
export const bootTime = (): number =>
  Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1] ?? 0) * 1000;
