/** The relay beside its peers: what is delivered under overload, what is taken without loss, and how long it takes. */
import { availableParallelism } from "node:os";
import { pinThread } from "../../src/linux/confined.ts";
import type { Bound, Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { latency } from "./latency.ts";
import { micro } from "./micro.ts";
import { ours } from "./ours.ts";
import { getPeers, type PeerName } from "./peers.ts";
import { type Entry, type Measured, ratio, throughput } from "./throughput.ts";

const SIZES = { small: 64, large: 1400 } as const;
const FANOUTS = [1, 3] as const;

const OURS: readonly Entry[] = [
  { key: "user", contender: ours({ name: "sluice, user plane", engine: "user" }), offload: "none" },
  {
    key: "user-gro",
    contender: ours({ name: "sluice, user plane, gro = on", engine: "user", gro: true }),
    offload: "none",
  },
  { key: "kernel", contender: ours({ name: "sluice, kernel plane", engine: "kernel" }), offload: "none" },
  {
    key: "kernel-both",
    contender: ours({ name: "sluice, kernel plane, GRO in, offload out", engine: "kernel" }),
    offload: "both",
  },
];
const FOR_LATENCY: readonly Entry[] = [
  {
    key: "latency",
    contender: ours({ name: "sluice, user plane, profile latency", engine: "user", profile: "latency" }),
    offload: "none",
  },
  { key: "user", contender: ours({ name: "sluice, user plane, profile throughput", engine: "user" }), offload: "none" },
  { key: "kernel", contender: ours({ name: "sluice, kernel plane", engine: "kernel" }), offload: "none" },
];

type Results = ReadonlyMap<string, Measured>;

/** What is wanted of one fan-out at 1400 bytes. */
function bounds(results: Results, outputs: 1 | 3): Bound[] {
  const of = (key: string): Measured | undefined => results.get(key);
  const overload = (key: string): number | undefined => of(key)?.overload.median;
  const where = `1:${outputs}, ${SIZES.large} bytes`;
  return [
    ratio(
      `${where}: lossless rate of the user plane to that in MCR's style`,
      of("user")?.lossless.rate,
      of("uring")?.lossless.rate,
      outputs === 1 ? 2 : 3,
    ),
    ratio(
      `${where}: user plane under overload to the kernel's multicast routing`,
      overload("user"),
      overload("smcroute"),
      1.5,
    ),
    ratio(
      `${where}: user plane with gro = on under overload to the kernel's multicast routing`,
      overload("user-gro"),
      overload("smcroute"),
      1.5,
    ),
    ratio(`${where}: kernel plane to the kernel's multicast routing`, overload("kernel"), overload("smcroute"), 1.5),
    ratio(
      `${where}: kernel plane with GRO and offload to the kernel's multicast routing without`,
      overload("kernel-both"),
      overload("smcroute"),
      3,
    ),
  ];
}

/** Runs all of it. */
export async function* relay({ quick }: BenchOptions): AsyncGenerator<Section> {
  yield micro(quick);
  if (availableParallelism() < 2) throw new Error("Cannot measure relays beside a generator with one processor");
  // This thread is the generator; threads and processes that it starts say themselves where they run.
  using owned = new DisposableStack();
  const all = Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
  owned.defer(() => pinThread(all));
  pinThread([0]);
  const peers = owned.use(getPeers());
  const entry = (key: PeerName, offload: Entry["offload"] = "none", suffix = ""): Entry[] => {
    const contender = peers.contenders[key];
    return contender
      ? [{ key: `${key}${suffix}`, contender: { ...contender, name: `${contender.name}${suffix}` }, offload }]
      : [];
  };
  const others = [...entry("socat"), ...entry("mmsg"), ...entry("uring"), ...entry("smcroute")];
  const entries = [...others, ...entry("smcroute", "both", ", GRO in, offload out"), ...OURS];
  const effort = quick ? { runs: 1, tries: 1, seconds: 0.5 } : { runs: 5, tries: 3, seconds: 0.7 };
  const sizes = quick ? [SIZES.large] : [SIZES.small, SIZES.large];
  const wanted: Bound[] = [];
  for (const outputs of FANOUTS) {
    for await (const { size, measured, section } of throughput(entries, outputs, sizes, effort)) {
      yield section;
      if (size === SIZES.large) wanted.push(...bounds(measured, outputs));
    }
  }
  yield {
    title: "Wanted of the throughput",
    rows: [],
    bounds: wanted,
    remarks: peers.missing.map((reason) => `Not measured: ${reason}`),
  };
  yield latency(
    [...others, ...FOR_LATENCY],
    [
      { key: "kernel", what: "kernel plane", microseconds: 50 },
      { key: "latency", what: "user plane, profile latency", microseconds: 150 },
    ],
    quick ? { runs: 1, seconds: 1 } : { runs: 5, seconds: 2 },
  );
}
