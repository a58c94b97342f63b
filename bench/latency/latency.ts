/**
 * The reason why there is a shaper with queues that think: what a ping feels while its subscriber downloads, behind CAKE
 * and behind a fifo of the same plan. In user-mode Linux, which has CAKE whatever this machine's kernel has.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../tools/vm/apt.ts";
import { runScript } from "../../tools/vm/guest-script.ts";
import { SHARED_IN_GUEST } from "../../tools/vm/job.ts";
import { SharedFolder } from "../../tools/vm/shared-folder.ts";
import { userModeLinux } from "../../tools/vm/uml.ts";
import type { Row, Section } from "../report.ts";
import type { Bench } from "../run.ts";
import { sample } from "../sample.ts";
import type { Run, Trips } from "./runs-worker.ts";

const CACHE = join(import.meta.dirname, "../../.vm");
const PLANS = [5, 10, 20];

async function measureRuns(runs: number, seconds: number): Promise<Run[]> {
  const machine = userModeLinux(CACHE);
  using shared = new SharedFolder(machine.memory * 2 ** 20, CACHE);
  const args = [`${SHARED_IN_GUEST}/runs.json`, runs, seconds, ...PLANS].map(String);
  await runScript(machine, shared, { path: "bench/latency/runs-worker.ts", args });
  return JSON.parse(readFileSync(join(shared.path, "runs.json"), "utf8")) as Run[];
}

function rowsOf(all: readonly Run[], mbit: number): Row[] {
  const values = (leaf: Run["leaf"], pick: (run: Run) => number) =>
    sample(all.filter((run) => run.leaf === leaf && run.mbit === mbit).map(pick));
  const row = (what: string, when: "idle" | "loaded", which: keyof Trips, target?: Row["target"]): Row => ({
    what: `${mbit} Mbit/s, ${what}`,
    ours: values("cake", (run) => run[when][which]),
    peer: { name: "fifo", sample: values("fifo", (run) => run[when][which]) },
    ...(target && { target }),
  });
  return [
    row("idle, median", "idle", "median"),
    row("downloading, median", "loaded", "median", { ratio: 0.5 }),
    row("downloading, 95 %", "loaded", "late", { ratio: 0.5 }),
  ];
}

/** All plans. */
export const latency: Bench = async function* latency({ quick }): AsyncIterable<Section> {
  const [runs, seconds] = quick ? [1, 4] : [5, 6];
  let all: Run[];
  try {
    all = await measureRuns(runs, seconds);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`Not measured: ${error.message}`);
    return;
  }
  const lost = Math.max(...all.map((run) => run.loaded.lost));
  yield {
    title: "Round trip of a ping at 20 ms, behind CAKE and behind a fifo",
    rows: PLANS.flatMap((mbit) => rowsOf(all, mbit)),
    remarks: [
      `User-mode Linux 6.1, HTB with the leaf, one TCP download (iperf3, cubic), a ping each 20 ms for ${seconds} s, ` +
        `${runs} runs; at most ${(lost * 100).toFixed(1)} % of the pings of a run were lost.`,
    ],
  };
};
