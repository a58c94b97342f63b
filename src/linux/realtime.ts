/** The clock that the kernel stamps arrivals with, as two numbers: nanoseconds since 1970 are too many for one. */
import { check } from "./errno.ts";
import { clockGettime } from "./ffi.ts";

const CLOCK_REALTIME = 0;
/** struct timespec: s64 seconds, s64 nanoseconds. */
const words = new Uint32Array(4);
const time = { seconds: 0, nanoseconds: 0 };

/** Now. @returns valid until the next call */
export function realtime(): Readonly<typeof time> {
  check("clock_gettime", clockGettime(CLOCK_REALTIME, words));
  time.seconds = words[0]!;
  time.nanoseconds = words[2]!;
  return time;
}
