/**
 * A closed loop in process: a controller drives the shapers of a simulated line, whose queues delay the probes that the
 * controller goes by. A minute takes some milliseconds, and the same seed gives the same run.
 */
import { both, type Both, DIRECTIONS } from "../../core/both.ts";
import type { Controller } from "../controllers/controller.ts";
import { phasesOf } from "../figures/phases.ts";
import type { RunSeries } from "../figures/series.ts";
import type { Judged, Outstanding, Sample, Verdict } from "../model.ts";
import { loads } from "../runner/measure.ts";
import { settle } from "../runner/settle.ts";
import { Pipe } from "./pipe.ts";
import type { Scenario, Steps } from "./scenario.ts";
import { constant, type Source, Tcp } from "./source.ts";
import { Tracker } from "./tracker.ts";
import { type Path, type Probe, Transit } from "./transit.ts";

/** Between steps of the fluid, s. */
const STEP = 0.005;
/** Of one reflector, s. */
const PROBE_INTERVAL = 0.3;
const OBSERVER_INTERVAL = 0.05;
/** Throughput is noted this often, s. */
const NOTED = 0.1;
/** What the shaper itself holds, s of its rate. */
const SHAPER_BUFFER = 0.05;
/** The wall clock at the start, ms of the day. */
const WALL = 36_000_000;
/** Controllers begin at this share of base. */
const START_SHARE = 0.6;

/** Without control the shapers are wide open. */
const OPEN = 1e9;

/** Values over time that grow. */
class Noted {
  readonly at: number[] = [];
  readonly value: number[] = [];
  note(at: number, value: number): void {
    this.at.push(at);
    this.value.push(value);
  }
}

/** A run, as figures want it, with what was decided. */
export interface SimulatedRun {
  readonly series: Both<RunSeries>;
  /** Of every tick, when it was asked for. */
  readonly decisions: readonly { readonly at: number; readonly verdicts: Both<Verdict> }[];
}

const bytesPerSecond = (kbits: number): number => kbits * 125;

/** One direction of the line. */
class Side {
  readonly line: Pipe;
  readonly shaper: Pipe;
  readonly #steps: Steps;
  readonly #sources: { readonly from: number; readonly to: number; readonly source: Source }[];
  readonly #download: boolean;
  #next = 1;
  sent = 0;
  carried = 0;

  constructor(scenario: Scenario, direction: "download" | "upload") {
    this.#steps = scenario.capacity[direction];
    const first = bytesPerSecond(this.#steps[0]![1]);
    this.line = new Pipe(first, first * scenario.buffer);
    this.shaper = new Pipe(bytesPerSecond(OPEN), first);
    this.#download = direction === "download";
    const roundTrip = scenario.reflectors[0]!.base;
    const seconds = Math.max(STEP, (roundTrip.download + roundTrip.upload) / 1000);
    this.#sources = scenario.loads[direction].map(({ from, to, kind, rate, flows }) => ({
      from,
      to,
      source: kind === "udp" ? constant(rate!) : new Tcp(flows ?? 2, seconds, STEP),
    }));
  }

  shape(kbits: number): void {
    this.shaper.rate = bytesPerSecond(kbits);
    this.shaper.limit = Math.max(30_000, bytesPerSecond(kbits) * SHAPER_BUFFER);
  }

  step(now: number): void {
    const change = this.#steps[this.#next];
    if (change && change[0] <= now) {
      this.line.rate = bytesPerSecond(change[1]);
      this.#next += 1;
    }
    const active = this.#sources.find(({ from, to }) => now >= from && now < to)?.source;
    const offered = active?.send(now, STEP) ?? 0;
    const [first, second] = this.#download ? [this.line, this.shaper] : [this.shaper, this.line];
    const between = first.step(offered, STEP);
    const out = second.step(between, STEP);
    active?.learn(now, out, first.dropped + second.dropped);
    this.sent += this.#download ? out : between;
    this.carried += this.#download ? between : out;
  }
}

/** Reflectors answer with stamps of whole milliseconds, by clocks of their own. */
function sampleOf(scenario: Scenario, { reflector, sent, turned, received }: Probe): Sample {
  const { address, offset, lies } = scenario.reflectors[reflector]!;
  const stamp = (seconds: number): number => Math.floor(WALL + seconds * 1000);
  const away = lies ? Math.floor(scenario.random() * 1000) : Math.floor(offset);
  const there = stamp(turned) + away;
  return {
    reflector: address,
    mode: "timestamp",
    sent,
    received,
    owd: { upload: there - stamp(sent), download: stamp(received) - there },
    rtt: (received - sent) * 1000,
  };
}

function pathOf({ reflectors, jitter, spikes, random }: Scenario): Path {
  const extra = (now: number): number => spikes.find(({ at, length }) => now >= at && now < at + length)?.delay ?? 0;
  const noise = (): number => -jitter * Math.log(1 - random());
  return {
    delay: (index, now) => {
      const { base } = reflectors[Math.max(0, index)]!;
      const spike = extra(now) / 2;
      return { upload: base.upload + spike + noise(), download: base.download + spike + noise() };
    },
    answers: (index, now) => index < 0 || now < (reflectors[index]!.silentFrom ?? Number.POSITIVE_INFINITY),
  };
}

/** Runs a scenario with a controller, or with none. */
export function simulate<S>(
  scenario: Scenario,
  controller: Controller<S> | undefined,
  decided?: (at: number, verdicts: Both<Verdict>) => void,
): Both<RunSeries> {
  const { random, bounds, seconds, reflectors } = scenario;
  const sides = both((d) => new Side(scenario, d));
  const transit = new Transit(
    both((d) => sides[d].line),
    pathOf(scenario),
    random,
  );
  const tracker = new Tracker();
  const probes = new Noted();
  const rates = both(() => new Noted());
  const throughput = both(() => new Noted());
  const noted = { download: 0, upload: 0 };
  const lost = new Map<number, number>();

  let rate = both((d) => Math.floor(bounds[d].base * START_SHARE));
  const counted = (now: number) => ({ at: now, bytes: both((d) => Math.floor(sides[d].sent)) });
  let before = counted(0);
  const period = controller?.period ?? 1;
  const setup = { bounds, start: rate, now: 0, bytes: before.bytes, period };
  let state = controller?.init(setup, random);
  if (controller) for (const d of DIRECTIONS) sides[d].shape(rate[d]);

  const samples: Judged[] = [];
  const under = new Map<string, Outstanding>();
  const known = new Map<string, number>();
  const back = (probe: Probe): void => {
    if (probe.reflector < 0) {
      const index = lost.get(probe.sent)!;
      probes.value[index] = (probe.received - probe.sent) * 1000;
      return;
    }
    const sample = sampleOf(scenario, probe);
    under.delete(`${sample.reflector} ${sample.sent}`);
    known.set(sample.reflector, Math.min(sample.rtt, known.get(sample.reflector) ?? sample.rtt));
    samples.push(tracker.judge(sample));
  };

  let [nextProbe, probed, nextObserved, nextTick, nextNoted, tick] = [0.01, 0, 0.02, period, NOTED, 0];
  const steps = Math.round(seconds / STEP);
  for (let index = 1; index <= steps; index += 1) {
    const now = index * STEP;
    if (now >= nextProbe) {
      const reflector = probed % reflectors.length;
      const { address } = reflectors[reflector]!;
      const baseline = known.get(address);
      under.set(`${address} ${now}`, { reflector: address, sent: now, ...(baseline !== undefined && { baseline }) });
      transit.send(reflector, now);
      probed += 1;
      nextProbe += PROBE_INTERVAL / reflectors.length;
    }
    if (now >= nextObserved) {
      lost.set(now, probes.at.length);
      probes.note(now, Number.NaN);
      transit.send(-1, now);
      nextObserved += OBSERVER_INTERVAL;
    }
    sides.download.step(now);
    sides.upload.step(now);
    transit.step(now, back);
    if (now >= nextNoted) {
      for (const d of DIRECTIONS) {
        throughput[d].note(now, ((sides[d].carried - noted[d]) * 8) / 1000 / NOTED);
        noted[d] = sides[d].carried;
      }
      nextNoted += NOTED;
    }
    if (controller && state !== undefined && now >= nextTick) {
      nextTick += period;
      tick += 1;
      const count = counted(now);
      const { elapsed, achieved, load } = loads(before, count, rate);
      before = count;
      const deltas = tracker.deltas(now);
      const held = rate;
      const directions = both((d) => ({
        deltas: deltas[d],
        rate: held[d],
        bytes: count.bytes[d],
        achieved: achieved[d],
        load: load[d],
        bounds: bounds[d],
        threshold: 15,
      }));
      for (const [key, { sent }] of under) if (sent < now - 10) under.delete(key);
      const input = { now, elapsed, tick, directions, samples: [...samples], outstanding: [...under.values()] };
      samples.length = 0;
      const made = controller.step(state, input, random);
      state = made.state;
      rate = both((d) => settle(made.decision[d].rate, bounds[d]));
      for (const d of DIRECTIONS) {
        sides[d].shape(rate[d]);
        rates[d].note(now, rate[d]);
      }
      decided?.(now, made.decision);
    }
  }
  const first = reflectors[0]!;
  const idle = first.base.download + first.base.upload + 2 * scenario.jitter;
  return both((d) => {
    const course = scenario.capacity[d];
    const capacity = { at: course.map(([at]) => at), value: course.map(([, value]) => value) };
    return {
      probes,
      idle,
      throughput: throughput[d],
      rates: rates[d],
      capacity,
      minimum: bounds[d].min,
      phases: phasesOf({ capacity, loads: scenario.loads[d], end: seconds }),
    };
  });
}
