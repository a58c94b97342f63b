/** How long a packet is on its way: from the generator's call until the receiver's kernel has it. */
import { addressBytes } from "../../src/core/prefix.ts";
import { ifNameToIndex } from "../../src/linux/ffi.ts";
import { Generator } from "../../src/relay/traffic/generator.ts";
import { Sink } from "../../src/relay/traffic/sink.ts";
import { formatNumber, type Bound, type Section } from "../report.ts";
import { type Sample, sample } from "../sample.ts";
import { BED } from "./bed.ts";
import { target } from "./run.ts";
import { stand, type Standing } from "./standing.ts";
import type { Entry } from "./throughput.ts";

const RATE = 1000;
const SIZE = 200;
const IDLE = 0.5;

interface Delays {
  readonly p50: number[];
  readonly p99: number[];
  lost: number;
}

async function runOne({ bed, contender }: Standing, seconds: number, into: Delays): Promise<void> {
  bed.deliver(true);
  const group = addressBytes(contender.keepsGroup ? BED.group : BED.output(1));
  const port = contender.keepsGroup ? BED.port : BED.outputPort;
  const ifindex = bed.receiver.run(() => ifNameToIndex("s1"));
  await using sink = await Sink.open([{ device: "s1", ifindex, group, port }], bed.receiver);
  const plan = { targets: [target(bed)], rate: RATE, size: SIZE, packets: Infinity, seconds, run: 1 };
  using generator = bed.sender.run(() => new Generator(plan));
  const never = new AbortController().signal;
  const [came] = await Promise.all([sink.run({ seconds: seconds + 2, idle: IDLE }, never), generator.run(never)]);
  bed.deliver(false);
  const stream = came[0]!.streams[0];
  into.lost += stream?.lost ?? RATE * seconds;
  if (!stream?.delay) return;
  into.p50.push(stream.delay.p50);
  into.p99.push(stream.delay.p99);
}

const text = ({ median, min, max }: Sample): string =>
  `${formatNumber(median)} (${formatNumber(min)}..${formatNumber(max)})`;

/** A bound on a median, by the entry's key. */
export interface LatencyBound {
  readonly key: string;
  readonly what: string;
  readonly microseconds: number;
}

/** Measures all of them, in turns, one output each. */
export async function latency(
  entries: readonly Entry[],
  bounds: readonly LatencyBound[],
  { runs, seconds }: { readonly runs: number; readonly seconds: number },
): Promise<Section> {
  await using owned = new AsyncDisposableStack();
  const standing = new Map<string, Standing>();
  for (const { key, contender, offload } of entries) standing.set(key, owned.use(await stand(contender, 1, offload)));
  const delays = new Map<string, Delays>();
  for (const key of standing.keys()) delays.set(key, { p50: [], p99: [], lost: 0 });
  for (let run = 0; run < runs; run += 1)
    for (const [key, each] of standing) await runOne(each, seconds, delays.get(key)!);
  const figure = (values: readonly number[]): string => (values.length > 0 ? text(sample(values)) : "-");
  const rows = entries.map(({ key, contender }) => {
    const { p50, p99, lost } = delays.get(key)!;
    return [contender.name, figure(p50), figure(p99), String(lost)];
  });
  const judged = bounds.map(({ key, what, microseconds }): Bound => {
    const { p50 } = delays.get(key)!;
    const wanted = `${what}: median under ${microseconds} us`;
    if (p50.length === 0) return { what: wanted, numbers: "", met: undefined };
    return { what: wanted, numbers: `${formatNumber(sample(p50).median)} us`, met: sample(p50).median < microseconds };
  });
  return {
    title: `Delay at ${RATE.toLocaleString("en")} packets a second of ${SIZE} bytes, one output`,
    rows: [],
    table: [["microseconds: median of runs (min..max)", "p50", "p99", "lost"], ...rows],
    bounds: judged,
    remarks: [
      "From the call that sends until the receiver's kernel has the packet, by its own time stamp; both ends included.",
    ],
  };
}
