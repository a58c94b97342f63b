/**
 * Measures in a guest: `runs-worker.ts FILE RUNS SECONDS MBIT...` writes what the pings of each plan and run took, as JSON.
 */
import { writeFileSync } from "node:fs";
import { feelLatency } from "../../test/helpers/latency.ts";
import { percentile, type RoundTrips } from "../../test/helpers/udp-echo.ts";

/** Round trips of one run in milliseconds. */
export interface Trips {
  readonly median: number;
  /** That 95 % stayed below. */
  readonly late: number;
  /** Share that did not come back within a second. */
  readonly lost: number;
}

/** One run of a plan. */
export interface Run {
  readonly mbit: number;
  readonly leaf: "cake" | "fifo";
  readonly idle: Trips;
  readonly loaded: Trips;
}

const trips = (all: RoundTrips): Trips => ({
  median: percentile(all, 0.5),
  late: percentile(all, 0.95),
  lost: 1 - all.times.length / all.sent,
});

const [file, count, seconds, ...plans] = process.argv.slice(2);
const runs: Run[] = [];
for (let run = 0; run < Number(count); run += 1)
  for (const mbit of plans.map(Number)) {
    const felt = await feelLatency(["cake", "fifo"], mbit, Number(seconds));
    // On the console, which is watched for silence.
    console.log(`run ${run + 1} of ${count}, ${mbit} Mbit/s`);
    for (const leaf of ["cake", "fifo"] as const)
      runs.push({ mbit, leaf, idle: trips(felt[leaf].idle), loaded: trips(felt[leaf].loaded) });
  }
writeFileSync(file!, JSON.stringify(runs));
