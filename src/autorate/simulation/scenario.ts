/** What happens to a simulated line: its capacity, its loads, and what its reflectors do. Units as in ../model.ts. */
import type { Both, Direction } from "../../core/both.ts";
import type { Bounds, Random } from "../model.ts";
import { seeded } from "./random.ts";

/** From a time on. */
export type Steps = readonly (readonly [at: number, value: number])[];

/** Somebody sends, from a time to another. */
export interface Load {
  readonly from: number;
  readonly to: number;
  readonly kind: "tcp" | "udp";
  /** kbit/s of udp; at most this of tcp. */
  readonly rate?: number;
  readonly flows?: number;
}

/** A reflector. */
export interface SimulatedReflector {
  readonly address: string;
  /** One way, without queues, ms. */
  readonly base: Both<number>;
  /** Of its clock, ms. */
  readonly offset: number;
  /** It answers no more from here on, s. */
  readonly silentFrom?: number;
  /** Its stamps are made up. */
  readonly lies?: boolean;
}

/** Delay that nobody here causes: at `at`, for `length` s, so many ms on top. */
export interface Spike {
  readonly at: number;
  readonly length: number;
  readonly delay: number;
}

/** A whole run. */
export interface Scenario {
  readonly name: string;
  readonly seconds: number;
  readonly bounds: Both<Bounds>;
  /** kbit/s */
  readonly capacity: Both<Steps>;
  readonly loads: Both<readonly Load[]>;
  /** What the line's queues hold at the first capacity, s. */
  readonly buffer: number;
  readonly reflectors: readonly SimulatedReflector[];
  /** Mean of an exponential distribution, ms one way. */
  readonly jitter: number;
  readonly spikes: readonly Spike[];
  /** Whose figures count. */
  readonly watched: Direction;
  readonly random: Random;
}

/** Makes a scenario from a seed. */
export type MakeScenario = (seed: number) => Scenario;

const REFLECTORS = 6;
const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

const boundsOf = (base: number): Bounds => ({ min: base * 0.2, base, max: base * 1.6 });

interface Draft {
  readonly name: string;
  readonly seconds?: number;
  readonly base?: Both<number>;
  /** Capacities relative to base are written in kbit/s and vary together by the seed. */
  readonly capacity?: Partial<Both<Steps>>;
  readonly loads?: Partial<Both<readonly Load[]>>;
  readonly watched?: Direction;
  readonly spikes?: (random: Random) => readonly Spike[];
  readonly reflectors?: (made: readonly SimulatedReflector[], random: Random) => readonly SimulatedReflector[];
}

const LOADED = { from: 5, to: 70 };
const DOWN: Load = { ...LOADED, kind: "tcp", flows: 2 };

/** Fills a draft in, with the chances of a seed. */
const scenario =
  (draft: Draft): MakeScenario =>
  (seed) => {
    const random = seeded(seed * 2_654_435_761 + draft.name.length);
    const seconds = draft.seconds ?? 70;
    const base = draft.base ?? { download: 20_000, upload: 5000 };
    const scale = between(random, 0.9, 1.1);
    const shift = between(random, -0.5, 0.5);
    const steps = (direction: Direction): Steps =>
      (draft.capacity?.[direction] ?? [[0, base[direction]]]).map(([at, value], index) => [
        index === 0 ? 0 : at + shift,
        value * scale,
      ]);
    const far = between(random, 2, 30);
    const made = Array.from({ length: REFLECTORS }, (_, index): SimulatedReflector => ({
      address: `192.0.2.${index + 1}`,
      base: { download: far / 2 + between(random, 0, 8), upload: far / 2 + between(random, 0, 8) },
      offset: between(random, -5000, 5000),
    }));
    return {
      name: draft.name,
      seconds,
      bounds: { download: boundsOf(base.download), upload: boundsOf(base.upload) },
      capacity: { download: steps("download"), upload: steps("upload") },
      loads: { download: draft.loads?.download ?? [], upload: draft.loads?.upload ?? [] },
      buffer: between(random, 0.3, 0.8),
      reflectors: draft.reflectors?.(made, random) ?? made,
      jitter: between(random, 0.2, 2),
      spikes: draft.spikes?.(random) ?? [],
      watched: draft.watched ?? "download",
      random,
    };
  };

const udp = (rate: number, span = LOADED): Load => ({ ...span, kind: "udp", rate });
const sawtooth = (low: number, high: number): Steps => {
  const steps: [number, number][] = [[0, high]];
  for (let at = 15; at < 70; at += 1) steps.push([at, low + ((high - low) * ((at * 7) % 20)) / 20]);
  return steps;
};

const DROPS_DOWN: Steps = [
  [0, 20_000],
  [30, 8000],
  [50, 20_000],
];
const DROPS_UP: Steps = [
  [0, 5000],
  [30, 2000],
  [50, 5000],
];
const OUTAGE = (rate: number): Steps => [
  [0, rate],
  [30, 0],
  [31, rate],
];

/** Every scenario there is. */
export const SCENARIOS: readonly MakeScenario[] = [
  scenario({ name: "download", capacity: { download: DROPS_DOWN }, loads: { download: [DOWN] } }),
  scenario({ name: "upload", capacity: { upload: DROPS_UP }, loads: { upload: [udp(8000)] }, watched: "upload" }),
  scenario({ name: "upload-tcp", capacity: { upload: DROPS_UP }, loads: { upload: [DOWN] }, watched: "upload" }),
  scenario({
    name: "both",
    capacity: { download: DROPS_DOWN, upload: DROPS_UP },
    loads: { download: [DOWN], upload: [DOWN] },
  }),
  scenario({ name: "sawtooth", capacity: { download: sawtooth(8000, 20_000) }, loads: { download: [DOWN] } }),
  scenario({
    name: "outage",
    capacity: { download: OUTAGE(20_000), upload: OUTAGE(5000) },
    loads: { download: [DOWN] },
  }),
  scenario({
    name: "idle-spikes",
    spikes: (random) =>
      Array.from({ length: 20 }, (_, index) => ({
        at: 5 + 3 * index + between(random, 0, 2),
        length: between(random, 0.1, 0.8),
        delay: 100,
      })),
  }),
  scenario({
    name: "reflectors-go",
    capacity: { download: DROPS_DOWN },
    loads: { download: [DOWN] },
    reflectors: (made) => made.map((reflector, index) => ({ ...reflector, silentFrom: 20 + 8 * index })),
  }),
  scenario({
    name: "all-silent",
    loads: { download: [DOWN] },
    reflectors: (made) => made.map((reflector) => ({ ...reflector, silentFrom: 25 })),
  }),
  scenario({
    name: "half-lying",
    capacity: { download: DROPS_DOWN },
    loads: { download: [DOWN] },
    reflectors: (made) => made.map((reflector, index) => ({ ...reflector, lies: index % 2 === 0 })),
  }),
  scenario({
    name: "asymmetric",
    loads: { upload: [udp(8000)] },
    capacity: { upload: DROPS_UP },
    watched: "download",
  }),
  scenario({
    name: "load-returns",
    loads: {
      download: [
        { ...DOWN, to: 20 },
        { ...DOWN, from: 40 },
      ],
    },
  }),
  scenario({
    name: "slow",
    base: { download: 2000, upload: 500 },
    capacity: {
      upload: [
        [0, 500],
        [30, 300],
        [50, 500],
      ],
    },
    loads: { upload: [DOWN] },
    watched: "upload",
  }),
];
