/** What happens to the line, and what is sent over it. */
import type { Span } from "../../src/autorate/figures/phases.ts";
import type { Both, Direction } from "../../src/core/both.ts";
import type { Flow } from "./load.ts";
import { seeded } from "./random.ts";

/** What the line can carry at first, kbit/s. */
export const NOMINAL: Both<number> = { download: 20_000, upload: 5000 };

/** From a time on (s), the line carries so much, kbit/s. `stopped`: nothing, and what is sent waits. */
export interface Turn {
  readonly at: number;
  readonly direction: Direction;
  readonly capacity: number | "stopped" | "stopped-idle";
}

/** A scenario, as it is for one seed. */
export interface Play {
  /** s */
  readonly seconds: number;
  /** The direction that it is about. */
  readonly direction: Direction;
  readonly load?: Span & { readonly kind: Flow["kind"] };
  /** By time. */
  readonly turns: readonly Turn[];
}

/** A scenario. */
export interface Scenario {
  readonly title: string;
  /** Figures make sense only over this long, s; see {@link Play}. */
  readonly seconds: number;
  play(seed: number): Play;
}

const SECONDS = 70;
const LOAD: Span = { from: 5, to: SECONDS };
const DROP = 30;
const RISE = 50;

/** Capacity to 40 % and back under a load. The seed moves both by up to a second, against whatever ticks. */
const fall = (direction: Direction, kind: Flow["kind"], title: string): Scenario => ({
  title,
  seconds: SECONDS,
  play(seed) {
    const random = seeded(seed);
    const turns = [
      { at: DROP + random(), direction, capacity: NOMINAL[direction] * 0.4 },
      { at: RISE + random(), direction, capacity: NOMINAL[direction] },
    ];
    return { seconds: SECONDS, direction, load: { ...LOAD, kind }, turns };
  },
});

/** Length of a stop, s: the first probe still passes, those that follow wait for some 100 ms. And between two of a bout. */
const STOP = 0.13;
const GAP = 0.01;
const BOUT = 10;
/** Between spikes, s. */
const REST = 5;

/** Single stops, and bouts of them that last more than a second and reach every reflector, by turns. */
function spikes(seed: number): Turn[] {
  const random = seeded(seed);
  const turns: Turn[] = [];
  let bout = false;
  for (let at = REST + random(); at < SECONDS - REST; at += REST * (0.5 + random())) {
    const direction = random() < 0.5 ? "download" : "upload";
    for (let i = 0; i < (bout ? BOUT : 1); i += 1, at += STOP + GAP)
      turns.push(
        { at, direction, capacity: "stopped-idle" },
        { at: at + STOP, direction, capacity: NOMINAL[direction] },
      );
    bout = !bout;
  }
  return turns;
}

const OUTAGE = { from: 25, seconds: 1, end: 50 };

/** All of them. */
export const SCENARIOS = {
  download: fall("download", "tcp", "download by TCP, 20 to 8 to 20 Mbit/s"),
  "upload-udp": fall("upload", { udp: 1.6 * NOMINAL.upload }, "upload by UDP, 5 to 2 to 5 Mbit/s"),
  "upload-tcp": fall("upload", "tcp", "upload by TCP, 5 to 2 to 5 Mbit/s"),
  spikes: {
    title: "no load, delay of up to 100 ms now and then",
    seconds: SECONDS,
    play: (seed) => ({ seconds: SECONDS, direction: "download", turns: spikes(seed) }),
  },
  outage: {
    title: "download by TCP, nothing passes for a second",
    seconds: OUTAGE.end,
    play(seed) {
      const from = OUTAGE.from + seeded(seed)();
      const turns = (["download", "upload"] as const).flatMap((direction): Turn[] => [
        { at: from, direction, capacity: "stopped" },
        { at: from + OUTAGE.seconds, direction, capacity: NOMINAL[direction] },
      ]);
      return {
        seconds: OUTAGE.end,
        direction: "download",
        load: { from: LOAD.from, to: OUTAGE.end, kind: "tcp" },
        turns: turns.toSorted((a, b) => a.at - b.at),
      };
    },
  },
} satisfies Readonly<Record<string, Scenario>>;

/** The name of one of them. */
export type ScenarioName = keyof typeof SCENARIOS;
