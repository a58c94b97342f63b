/** How much each relay delivers when more is offered than it can take, and how much it takes without losing any. */
import { humanRate } from "../../src/core/units.ts";
import { formatNumber, type Bound, type Section } from "../report.ts";
import { type Sample, sample } from "../sample.ts";
import type { Offload } from "./bed.ts";
import type { Contender } from "./contender.ts";
import { findLossless, type Lossless } from "./lossless.ts";
import { stand, type Standing } from "./standing.ts";

/** One that takes part, with what its devices do for it. */
export interface Entry {
  readonly key: string;
  readonly contender: Contender;
  readonly offload: Offload;
}

/** What was measured of one entry. */
export interface Measured {
  /** Packets a second at all outputs together, with as much offered as the generator can. */
  readonly overload: Sample;
  /** Part of a processor meanwhile. */
  readonly cpu: number;
  readonly lossless: Lossless;
}

/** Runs before anything is counted. */
const WARM = 1;

/** How much is measured. */
export interface Effort {
  /** Under overload. */
  readonly runs: number;
  /** Of each step on the way to the highest rate without loss. */
  readonly tries: number;
  /** Of each run. */
  readonly seconds: number;
}

/** Measures all of them, in turns. */
async function measure(
  standing: ReadonlyMap<string, Standing>,
  size: number,
  { runs, tries, seconds }: Effort,
): Promise<Map<string, Measured>> {
  // Whatever compiles itself while it runs has done so, and queues are as they will be.
  for (const each of standing.values())
    for (let turn = 0; turn < WARM; turn += 1) await each.run({ rate: Infinity, size, seconds });
  const delivered = new Map<string, number[]>();
  const busy = new Map<string, number[]>();
  for (let run = 0; run < runs; run += 1)
    for (const [key, each] of standing) {
      const result = await each.run({ rate: Infinity, size, seconds });
      delivered.set(key, [...(delivered.get(key) ?? []), result.delivered]);
      busy.set(key, [...(busy.get(key) ?? []), result.cpu]);
    }
  const measured = new Map<string, Measured>();
  for (const [key, each] of standing) {
    const lossless = await findLossless(tries, (rate) => each.run({ rate, size, seconds }));
    const [overload, cpu] = [sample(delivered.get(key)!), sample(busy.get(key)!).median];
    measured.set(key, { overload, cpu, lossless });
  }
  return measured;
}

const thousands = (value: number): string => `${formatNumber(value / 1000)}k`;

function row({ contender }: Entry, { overload, cpu, lossless }: Measured, size: number, outputs: number): string[] {
  const inKernel = cpu < 0.05;
  return [
    contender.name,
    `${thousands(overload.median)} (${thousands(overload.min)}..${thousands(overload.max)})`,
    humanRate(Math.round(overload.median * size * 8)),
    inKernel ? "-" : cpu.toFixed(2),
    `${thousands(lossless.rate)}${lossless.limited ? " (generator's limit)" : ""}`,
    thousands(lossless.rate * outputs),
    inKernel ? "-" : lossless.cpu.toFixed(2),
  ];
}

const HEADER = [
  "packets/s",
  "overload: delivered",
  "payload",
  "processor",
  "lossless: taken in",
  "delivered",
  "processor",
];

/** What was measured with so many bytes, by the entries' keys, and as a table. */
export interface Throughput {
  readonly size: number;
  readonly measured: ReadonlyMap<string, Measured>;
  readonly section: Section;
}

/** Measures with so many outputs, one size after the other. */
export async function* throughput(
  entries: readonly Entry[],
  outputs: number,
  sizes: readonly number[],
  effort: Effort,
): AsyncGenerator<Throughput> {
  await using owned = new AsyncDisposableStack();
  const able = entries.filter(({ contender }) => contender.outputs >= outputs);
  const standing = new Map<string, Standing>();
  for (const { key, contender, offload } of able)
    standing.set(key, owned.use(await stand(contender, outputs, offload)));
  for (const size of sizes) {
    const measured = await measure(standing, size, effort);
    const table = [HEADER, ...able.map((entry) => row(entry, measured.get(entry.key)!, size, outputs))];
    yield { size, measured, section: { title: `1:${outputs}, ${size} bytes`, rows: [], table } };
  }
}

/** A ratio that is wanted. */
export function ratio(what: string, ours: number | undefined, peer: number | undefined, wanted: number): Bound {
  if (ours === undefined || peer === undefined)
    return { what: `${what}: at least ${wanted} times`, numbers: "", met: undefined };
  const numbers = `${thousands(ours)} to ${thousands(peer)}: ${formatNumber(ours / peer)}`;
  return { what: `${what}: at least ${wanted} times`, numbers, met: ours >= wanted * peer };
}
