/** One run: a generator at a rate for a time, and what came out of the relay. */
import { setTimeout } from "node:timers/promises";
import { addressBytes } from "../../src/core/prefix.ts";
import { Generator } from "../../src/relay/traffic/generator.ts";
import { BED, type RelayBed } from "./bed.ts";
import { cpuSeconds, type Running } from "./contender.ts";

/** What is offered. */
export interface Offer {
  /** Packets a second; Infinity: as many as go. */
  readonly rate: number;
  /** Bytes of payload. */
  readonly size: number;
  readonly outputs: number;
  readonly seconds: number;
}

/** What came of it. */
export interface RunResult {
  /** Packets a second that really went in. */
  readonly offered: number;
  /** Packets a second that came out, of all outputs together. */
  readonly delivered: number;
  /** Of what should have come out, the part that did not. */
  readonly lost: number;
  /** Part of a processor that the relay's processes had. */
  readonly cpu: number;
}

/** Longest that packets are waited for that are still on their way, ms, and how often it is looked. */
const SETTLES = { within: 3000, every: 30 };

/** The generator's end of the bed. */
export const target = (bed: RelayBed) =>
  ({ device: "g0", ifindex: bed.g0, group: addressBytes(BED.group), port: BED.port, ttl: 8 }) as const;

/** Waits until nothing comes any more. @returns by output */
async function settled(bed: RelayBed): Promise<number[]> {
  let before = bed.received();
  for (const end = performance.now() + SETTLES.within; performance.now() < end;) {
    await setTimeout(SETTLES.every);
    const now = bed.received();
    if (now.every((count, i) => count === before[i])) return now;
    before = now;
  }
  return before;
}

/** Runs it on the bed, in this thread. */
export async function runOnce(
  bed: RelayBed,
  running: Running,
  { rate, size, outputs, seconds }: Offer,
): Promise<RunResult> {
  const before = await settled(bed);
  const cpuBefore = running.pids().map((pid) => cpuSeconds(pid));
  const plan = { targets: [target(bed)], rate, size, packets: Infinity, seconds, run: 1 };
  using generator = bed.sender.run(() => new Generator(plan));
  const { streams, seconds: took } = await generator.run(new AbortController().signal);
  const after = await settled(bed);
  const { packets } = streams[0]!;
  const came = after.reduce((sum, count, i) => sum + count - before[i]!, 0);
  const cpu = running.pids().reduce((sum, pid, i) => sum + cpuSeconds(pid) - cpuBefore[i]!, 0);
  return { offered: packets / took, delivered: came / took, lost: 1 - came / (packets * outputs), cpu: cpu / took };
}
