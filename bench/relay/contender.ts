/** Who relays, as the benchmark sees it. */
import { readFileSync } from "node:fs";
import type { RelayBed } from "./bed.ts";

/** Processor that processes of relays run on; the generator has the first. What the kernel does, it does on the generator's. */
export const RELAY_CPU = 1;
/** Ticks of /proc in a second (USER_HZ). */
const TICKS = 100;

/** A relay that runs. */
export interface Running extends AsyncDisposable {
  /** Its processes; none when the kernel does it. */
  pids(): readonly number[];
}

/** A way to relay. */
export interface Contender {
  readonly name: string;
  /** Most outputs it can have. */
  readonly outputs: number;
  /** Copies go to the group and port that they came to. */
  readonly keepsGroup?: true;
  start(bed: RelayBed, outputs: number): Promise<Running>;
}

/** Seconds of a processor that a process has had, its threads and its ended children included; 0 when it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime, stime: fields 14 and 15 of proc(5), of which two stand before the name's end.
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}
