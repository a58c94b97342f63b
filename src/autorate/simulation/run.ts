/**
 * A closed loop in process: a controller drives the shapers of a simulated line, whose queues delay the probes that the
 * controller goes by. A minute takes some milliseconds, and the same seed gives the same run.
 */
import { both, type Both, DIRECTIONS } from "../../core/both.ts";
import type { Controller } from "../controllers/controller.ts";
import { phasesOf } from "../figures/phases.ts";
import type { RunSeries, Series } from "../figures/series.ts";
import type { Decision, TickInput } from "../model.ts";
import { type Counted, loads } from "../runner/measure.ts";
import { settle } from "../runner/settle.ts";
import { LineSide } from "./line-side.ts";
import { pathOf, Probing } from "./probing.ts";
import type { Scenario } from "./scenario.ts";
import { type Probe, Transit } from "./transit.ts";

/** Between steps of the fluid, s. */
const STEP = 0.01;
/** Between probes of the observer, s. */
const OBSERVED = 0.05;
/** Throughput is noted this often, s. */
const NOTED = 0.1;
/** Controllers begin at this share of base. */
const START_SHARE = 0.6;
/** Delay over the baseline that counts as bloat, ms. */
const THRESHOLD = 15;

/** Values over time that grow to a length that is known. */
class Column {
  readonly at: Float64Array;
  readonly value: Float64Array;
  length = 0;

  constructor(most: number) {
    this.at = new Float64Array(most);
    this.value = new Float64Array(most);
  }

  note(at: number, value: number): void {
    this.at[this.length] = at;
    this.value[this.length] = value;
    this.length += 1;
  }

  get series(): Series {
    return { at: this.at.subarray(0, this.length), value: this.value.subarray(0, this.length) };
  }
}

/** The controller's end: counters, ticks, rates. */
class Control<S> {
  readonly #scenario: Scenario;
  readonly #controller: Controller<S>;
  readonly #sides: Both<LineSide>;
  readonly #probing: Probing;
  readonly #decided: ((input: TickInput, decision: Decision) => void) | undefined;
  readonly rates: Both<Column>;
  #rate: Both<number>;
  #counted: Counted;
  #state: S;
  #next: number;
  #tick = 0;

  constructor(
    scenario: Scenario,
    controller: Controller<S>,
    sides: Both<LineSide>,
    probing: Probing,
    decided: ((input: TickInput, decision: Decision) => void) | undefined,
  ) {
    const { bounds, seconds, random } = scenario;
    const { period } = controller;
    this.#scenario = scenario;
    this.#controller = controller;
    this.#sides = sides;
    this.#probing = probing;
    this.#decided = decided;
    this.rates = both(() => new Column(Math.ceil(seconds / period) + 1));
    this.#rate = both((d) => Math.floor(bounds[d].base * START_SHARE));
    this.#counted = this.#count(0);
    this.#next = period;
    this.#state = controller.init({ bounds, start: this.#rate, now: 0, bytes: this.#counted.bytes, period }, random);
    for (const d of DIRECTIONS) sides[d].shape(this.#rate[d]);
  }

  #count(at: number): Counted {
    return { at, bytes: both((d) => Math.floor(this.#sides[d].sent)) };
  }

  step(now: number): void {
    if (now < this.#next) return;
    const { bounds, random } = this.#scenario;
    this.#next += this.#controller.period;
    this.#tick += 1;
    const rate = this.#rate;
    const count = this.#count(now);
    const { elapsed, achieved, load } = loads(this.#counted, count, rate);
    this.#counted = count;
    const deltas = this.#probing.deltas(now);
    const directions = both((d) => ({
      deltas: deltas[d],
      rate: rate[d],
      bytes: count.bytes[d],
      achieved: achieved[d],
      load: load[d],
      bounds: bounds[d],
      threshold: THRESHOLD,
    }));
    const input = { now, elapsed, tick: this.#tick, directions, ...this.#probing.take(now) };
    const { state, decision } = this.#controller.step(this.#state, input, random);
    this.#state = state;
    this.#rate = both((d) => settle(decision[d].rate, bounds[d]));
    for (const d of DIRECTIONS) {
      this.#sides[d].shape(this.#rate[d]);
      this.rates[d].note(now, this.#rate[d]);
    }
    this.#decided?.(input, decision);
  }
}

const EMPTY: Series = { at: [], value: [] };

/**
 * Runs a scenario with a controller, or with none.
 *
 * @param decided told of every tick
 * @returns what figures are made of
 */
export function simulate<S>(
  scenario: Scenario,
  controller: Controller<S> | undefined,
  decided?: (input: TickInput, decision: Decision) => void,
): Both<RunSeries> {
  const { seconds, bounds, reflectors, jitter, capacity, loads: given } = scenario;
  const sides = both((d) => new LineSide(scenario, d, STEP));
  const transit = new Transit(
    both((d) => sides[d].line),
    pathOf(scenario),
    scenario.random,
  );
  const probing = new Probing(scenario, transit);
  const control = controller && new Control(scenario, controller, sides, probing, decided);
  const observed = new Column(Math.ceil(seconds / OBSERVED) + 1);
  const throughput = both(() => new Column(Math.ceil(seconds / NOTED) + 1));
  const noted = { at: 0, download: 0, upload: 0 };
  const back = (probe: Probe): void => {
    if (probe.reflector >= 0) probing.back(probe);
    else observed.value[probe.token] = (probe.received - probe.sent) * 1000;
  };

  let nextObserved = 0.02;
  let nextNoted = NOTED;
  const steps = Math.round(seconds / STEP);
  for (let index = 1; index <= steps; index += 1) {
    const now = index * STEP;
    sides.download.step(now);
    sides.upload.step(now);
    // Behind what has come by now: before the step of the queues a probe would be ahead of it by a step.
    if (control) probing.send(now);
    if (now >= nextObserved) {
      observed.note(now, Number.NaN);
      transit.send(-1, now, observed.length - 1);
      nextObserved += OBSERVED;
    }
    transit.step(now, back);
    if (now >= nextNoted) {
      for (const d of DIRECTIONS) {
        throughput[d].note(now, ((sides[d].carried - noted[d]) * 8) / 1000 / (now - noted.at));
        noted[d] = sides[d].carried;
      }
      noted.at = now;
      nextNoted += NOTED;
    }
    control?.step(now);
  }
  const { base } = reflectors[0]!;
  return both((d) => {
    const course = { at: capacity[d].map(([at]) => at), value: capacity[d].map(([, value]) => value) };
    return {
      probes: observed.series,
      idle: base.download + base.upload + 2 * jitter,
      throughput: throughput[d].series,
      rates: control?.rates[d].series ?? EMPTY,
      capacity: course,
      minimum: bounds[d].min,
      phases: phasesOf({ capacity: course, loads: given[d], end: seconds }),
    };
  });
}
