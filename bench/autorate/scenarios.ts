/** What happens to the line, and what is sent over it. */
import type { Span } from "../../src/autorate/figures/phases.ts";
import type { Both, Direction } from "../../src/core/both.ts";
import type { Flow } from "./load.ts";
import { seeded } from "../../src/autorate/simulation/random.ts";

/** What the line can carry at first, kbit/s. */
export const NOMINAL: Both<number> = { download: 20_000, upload: 5000 };

/** From a time on (s), the line carries so much, kbit/s. `stopped`: nothing, and what is sent waits. */
export interface Turn {
  readonly at: number;
  readonly direction: Direction;
  readonly capacity: number | "stopped" | "stopped-idle";
}

/** Traffic from a time to another, s. */
export interface Load extends Span {
  readonly direction: Direction;
  readonly kind: Flow["kind"];
}

/** A scenario, as it is for one seed. */
export interface Play {
  /** s */
  readonly seconds: number;
  /** The direction that it is about. */
  readonly direction: Direction;
  readonly loads: readonly Load[];
  /** By time. */
  readonly turns: readonly Turn[];
  /** When no reflector answers. */
  readonly silence?: Span;
}

/** A scenario. */
export interface Scenario {
  readonly title: string;
  /** Figures make sense only over this long, s; see {@link Play}. */
  readonly seconds: number;
  play(seed: number): Play;
}

const SECONDS = 70;
const BEGIN = 5;
const DROP = 30;
const RISE = 50;

const filled = (direction: Direction, kind: Flow["kind"] = "tcp", to = SECONDS): Load => ({
  from: BEGIN,
  to,
  direction,
  kind,
});

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
    return { seconds: SECONDS, direction, loads: [filled(direction, kind)], turns };
  },
});

const byTime = (turns: readonly Turn[]): Turn[] => turns.toSorted((a, b) => a.at - b.at);

/** Like a mobile line: each few seconds another capacity, by a share of what it carries at best. */
function wavering(seed: number, direction: Direction): Turn[] {
  const random = seeded(seed);
  const turns: Turn[] = [];
  for (let at = BEGIN + 10 + random(); at < SECONDS - 10; at += 2 + 4 * random())
    turns.push({ at, direction, capacity: Math.round(NOMINAL[direction] * (0.3 + 0.7 * random())) });
  return [...turns, { at: SECONDS - 10, direction, capacity: NOMINAL[direction] }];
}

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

const FALLS = {
  download: fall("download", "tcp", "download by TCP, 20 to 8 to 20 Mbit/s"),
  upload: fall("upload", "tcp", "upload by TCP, 5 to 2 to 5 Mbit/s"),
};

/** All of them. */
export const SCENARIOS = {
  download: FALLS.download,
  "upload-udp": fall("upload", { udp: 1.6 * NOMINAL.upload }, "upload by UDP, 5 to 2 to 5 Mbit/s"),
  "upload-tcp": FALLS.upload,
  spikes: {
    title: "no load, delay of up to 100 ms now and then",
    seconds: SECONDS,
    play: (seed) => ({ seconds: SECONDS, direction: "download", loads: [], turns: spikes(seed) }),
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
        loads: [filled("download", "tcp", OUTAGE.end)],
        turns: byTime(turns),
      };
    },
  },
  both: {
    title: "download and upload by TCP, both to 40 % and back at different times",
    seconds: SECONDS,
    play(seed) {
      const download = FALLS.download.play(seed);
      const upload = FALLS.upload.play(seed + 1000);
      const later = upload.turns.map((turn) => ({ ...turn, at: turn.at - 10 }));
      return {
        seconds: SECONDS,
        direction: "download",
        loads: [...download.loads, ...upload.loads],
        turns: byTime([...download.turns, ...later]),
      };
    },
  },
  wavering: {
    title: "download by TCP, another capacity each few seconds",
    seconds: SECONDS,
    play: (seed) => ({
      seconds: SECONDS,
      direction: "download",
      loads: [filled("download")],
      turns: wavering(seed, "download"),
    }),
  },
  silence: {
    title: "download by TCP, no reflector answers for 20 s",
    seconds: SECONDS,
    play(seed) {
      const from = DROP + seeded(seed)();
      return {
        seconds: SECONDS,
        direction: "download",
        loads: [filled("download")],
        turns: [],
        silence: { from, to: from + RISE - DROP },
      };
    },
  },
} satisfies Readonly<Record<string, Scenario>>;

/** The name of one of them. */
export type ScenarioName = keyof typeof SCENARIOS;
