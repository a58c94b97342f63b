/** One run: a bed of its own, a scenario, a controller; what was seen of it as figures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { figuresOf, type RunFigures } from "../../src/autorate/figures/figures.ts";
import { type Phase, phasesOf } from "../../src/autorate/figures/phases.ts";
import type { RunSeries, Series } from "../../src/autorate/figures/series.ts";
import { type Both, both, type Direction, DIRECTIONS } from "../../src/core/both.ts";
import { Bed, BED } from "./bed.ts";
import { monotonic, until } from "./clock.ts";
import { control, type ControllerName, MINIMUM, traceOf } from "./controllers.ts";
import type { Use } from "./daemon.ts";
import { Loads } from "./load.ts";
import type { Echoes } from "./prober-worker.ts";
import { Prober } from "./prober.ts";
import { NOMINAL, type Play, SCENARIOS, type ScenarioName, type Turn } from "./scenarios.ts";
import { type Watched, watch } from "./watch.ts";

/** What is to be run. */
export interface Order {
  readonly scenario: ScenarioName;
  readonly controller: ControllerName;
  readonly seed: number;
}

/** What came out. */
export interface Outcome extends Order {
  readonly figures: Both<RunFigures>;
  /** Of the daemon; undefined without one. */
  readonly use?: Use;
  /** ICMP packets that left the router by its uplink's shaper and were not the prober's, per second. */
  readonly probesPerSecond?: number;
}

/** Seconds from the moment when everything is there until a run begins. */
const SETTING_OFF = 0.5;
/** What a stopped line is said to carry, kbit/s. */
const NEARLY_NOTHING = 1;

/** Does what is planned; gives the turns with the times at which they were really taken. */
async function playOut(bed: Bed, loads: Loads, play: Play, begin: number): Promise<Turn[]> {
  const at = async (time: number, act: () => void): Promise<void> => {
    await until(begin + time);
    act();
  };
  const taken: Turn[] = [];
  const turn = async (): Promise<void> => {
    for (const one of play.turns) {
      await at(one.at, () => bed.setCapacity(one.direction, one.capacity));
      taken.push({ ...one, at: monotonic() - begin });
    }
  };
  const { silence } = play;
  await Promise.all([
    turn(),
    ...play.loads.map((load, index) => at(load.from, () => loads.start(index, load))),
    ...(silence ? [at(silence.from, () => bed.silence(true)), at(silence.to, () => bed.silence(false))] : []),
  ]);
  return taken;
}

/** What the line carried, by what was done to it. */
function capacityOf(direction: Direction, taken: readonly Turn[]): Series {
  const own = taken.filter((turn) => turn.direction === direction);
  const value = own.map(({ capacity }) => (typeof capacity === "number" ? capacity : NEARLY_NOTHING));
  return { at: [0, ...own.map(({ at }) => at)], value: [NOMINAL[direction], ...value] };
}

const since = ({ at, value }: Series, begin: number): Series => ({
  at: Float64Array.from(at, (time) => time - begin),
  value,
});

/** Round trip of the empty line, ms: that of a tenth of the probes, since other work of the machine only adds to it. */
function idleOf({ at, value }: Series, phases: readonly Phase[]): number {
  const idle = phases.filter(({ name }) => name === "idle");
  const within = (time: number): boolean => idle.some(({ from, to }) => time >= from && time < to);
  const trips = Array.from(value).filter((trip, i) => !Number.isNaN(trip) && within(at[i]!));
  return trips.toSorted((a, b) => a - b)[Math.floor(trips.length / 10)] ?? Number.NaN;
}

/** All that was seen, by direction. */
function seriesOf(play: Play, taken: readonly Turn[], echoes: Echoes, seen: Watched, begin: number): Both<RunSeries> {
  const loads = play.loads.filter(({ direction }) => direction === play.direction);
  const phases = phasesOf({ capacity: capacityOf(play.direction, taken), loads, end: play.seconds });
  const probes = since(echoes, begin);
  const idle = idleOf(probes, phases);
  return both((direction) => ({
    probes,
    idle,
    throughput: since(seen[direction].arrived, begin),
    rates: since(seen[direction].rate, begin),
    capacity: capacityOf(direction, taken),
    minimum: MINIMUM[direction],
    phases,
  }));
}

/** Writes all that was seen, and what the daemon noted, into a folder. */
function keep(folder: string, order: Order, begin: number, series: Both<RunSeries>, trace: string | undefined): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${order.scenario}-${order.controller}-${order.seed}`);
  const plain = (_: string, value: unknown): unknown => (value instanceof Float64Array ? Array.from(value) : value);
  writeFileSync(`${path}.json`, JSON.stringify({ ...order, begin, ...series }, plain));
  if (trace !== undefined) writeFileSync(`${path}.trace.jsonl`, trace);
}

/**
 * Runs it, in as long as the scenario takes and a few seconds.
 *
 * @param folder where all that was seen is kept
 * @throws Error when the daemon or the load failed
 */
export async function run(order: Order, folder?: string): Promise<Outcome> {
  const { scenario, controller, seed } = order;
  const play: Play = SCENARIOS[scenario].play(seed);
  const { seconds } = play;
  using bed = new Bed();
  for (const direction of DIRECTIONS) bed.setCapacity(direction, NOMINAL[direction]);
  await using daemon = await control(bed, controller, folder !== undefined);
  await using loads = await Loads.of(bed, play.loads.length);
  const begin = monotonic() + SETTING_OFF;
  await using prober = new Prober(bed.cli, BED.server, begin, seconds);
  const measured = daemon?.measure();
  const [taken, seen] = await Promise.all([
    playOut(bed, loads, play, begin),
    watch(bed, controller !== "none", begin, begin + seconds),
  ]);
  const use = measured?.();
  const echoes = await prober.echoes;
  if (loads.log !== "") throw new Error(`iperf3 failed in ${scenario}: ${loads.log}`);
  const series = seriesOf(play, taken, echoes, seen, begin);
  if (folder !== undefined) keep(folder, order, begin, series, daemon && traceOf(daemon));
  const foreign = seen.upload.icmp - echoes.at.length;
  return {
    scenario,
    controller,
    seed,
    figures: both((direction) => figuresOf(series[direction])),
    ...(use && { use, probesPerSecond: foreign / seconds }),
  };
}
