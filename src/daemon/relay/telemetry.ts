/** What the relay has done, logged by an interval in the lines of MCR, and once more when it ends. */
import type { Clock } from "../../core/clock.ts";
import { logger } from "../../core/log.ts";
import type { Relay } from "../../relay/relay.ts";
import {
  finalLines,
  type InputTotals,
  inputTotals,
  intervalLines,
  type TelemetryInput,
} from "../../relay/telemetry.ts";
import { interfacesJson } from "./json.ts";

const log = logger("relay", "stats");

/** The lines of one life of the relay. */
export class Telemetry {
  readonly #relay: Pick<Relay, "views" | "inputs">;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #began: number;
  #told: number;
  #before: ReadonlyMap<string, InputTotals> = new Map();
  /** ms. */
  #every = Number.POSITIVE_INFINITY;
  #due = Number.POSITIVE_INFINITY;

  /** @param seconds between lines; 0: never any */
  constructor(relay: Pick<Relay, "views" | "inputs">, clock: Pick<Clock, "monotonic">, seconds: number) {
    this.#relay = relay;
    this.#clock = clock;
    this.#began = clock.monotonic();
    this.#told = this.#began;
    this.setEvery(seconds);
  }

  /** When the next lines are due, by the clock that never steps, ms. */
  get due(): number {
    return this.#due;
  }

  /** Another interval, which begins now. @param seconds 0: no lines any more */
  setEvery(seconds: number): void {
    this.#every = seconds > 0 ? 1000 * seconds : Number.POSITIVE_INFINITY;
    this.#due = this.#clock.monotonic() + this.#every;
  }

  /** Logs what was done, once it is time. */
  tell(): void {
    const now = this.#clock.monotonic();
    if (now < this.#due) return;
    // From when they were due: lines that come late do not make those after them late.
    this.#due += this.#every * (1 + Math.floor((now - this.#due) / this.#every));
    const times = { since: now - this.#began, elapsed: now - this.#told };
    const all = this.#totals();
    for (const totals of all) write(totals, intervalLines(totals, this.#before.get(totals.device), times));
    this.#told = now;
    this.#before = new Map(all.map((totals) => [totals.device, totals]));
  }

  /** Logs what was done in all; nothing where there is no interval. */
  finish(): void {
    if (this.#due === Number.POSITIVE_INFINITY) return;
    for (const totals of this.#totals()) write(totals, finalLines(totals));
  }

  #totals(): InputTotals[] {
    const inputs = interfacesJson(this.#relay.inputs()).map(({ interface: device, passedOver, ring }) => ({
      device,
      passedOver: passedOver as TelemetryInput["passedOver"],
      ringDrops: ring.drops,
    }));
    return inputTotals(this.#relay.views(), inputs);
  }
}

/** Each line once, whatever form the log has: who adds up what a search finds would count a field with the line in it twice. */
function write({ device }: InputTotals, lines: readonly string[]): void {
  for (const line of lines) log.info(`{interface}: ${line}`, { interface: device });
}
