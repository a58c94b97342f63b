/** One direction of a simulated line: who sends, the shaper, the line's own queue, and a capacity that changes. */
import type { Direction } from "../../core/both.ts";
import { Pipe } from "./pipe.ts";
import type { Scenario, Steps } from "./scenario.ts";
import { constant, type Source, Tcp } from "./source.ts";

/** What a shaper itself holds, s of its rate, and at least, bytes: a CAKE or fq_codel holds less, a fifo more. */
const SHAPER_BUFFER = 0.05;
const SHAPER_LEAST = 30_000;
/** Without control the shapers are wide open, kbit/s. */
const OPEN = 1e9;

const bytesPerSecond = (kbits: number): number => kbits * 125;

interface Active {
  readonly from: number;
  readonly to: number;
  readonly source: Source;
}

/** The direction. Mutable, like its queues. */
export class LineSide {
  readonly line: Pipe;
  /** Through the shaper so far, bytes. */
  sent = 0;
  /** Through the line so far, bytes. */
  carried = 0;
  readonly #shaper: Pipe;
  readonly #capacity: Steps;
  readonly #sources: readonly Active[];
  readonly #download: boolean;
  readonly #step: number;
  #next = 1;

  /** @param step s */
  constructor(scenario: Scenario, direction: Direction, step: number) {
    this.#capacity = scenario.capacity[direction];
    const first = bytesPerSecond(this.#capacity[0]![1]);
    this.line = new Pipe(first, first * scenario.buffer);
    this.#shaper = new Pipe(bytesPerSecond(OPEN), first);
    this.#download = direction === "download";
    this.#step = step;
    const { base } = scenario.reflectors[0]!;
    const roundTrip = Math.max(step, (base.download + base.upload) / 1000);
    this.#sources = scenario.loads[direction].map(({ from, to, kind, rate, flows }) => ({
      from,
      to,
      source: kind === "udp" ? constant(rate!) : new Tcp(flows ?? 2, roundTrip, step),
    }));
  }

  /** Sets the shaper, kbit/s. */
  shape(kbits: number): void {
    this.#shaper.rate = bytesPerSecond(kbits);
    this.#shaper.limit = Math.max(SHAPER_LEAST, bytesPerSecond(kbits) * SHAPER_BUFFER);
  }

  /** Lets a step pass. @param now at its end, s */
  step(now: number): void {
    const change = this.#capacity[this.#next];
    if (change && change[0] <= now) {
      this.line.rate = bytesPerSecond(change[1]);
      this.#next += 1;
    }
    let active: Source | undefined;
    for (const { from, to, source } of this.#sources) if (now >= from && now < to) active = source;
    const first = this.#download ? this.line : this.#shaper;
    const second = this.#download ? this.#shaper : this.line;
    // Most of the time nothing is sent, and nothing waits.
    if (!active && first.queue === 0 && second.queue === 0) return;
    const offered = active ? active.send(now, this.#step) : 0;
    const between = first.step(offered, this.#step);
    const out = second.step(between, this.#step);
    active?.learn(now, out, first.dropped + second.dropped);
    this.sent += this.#download ? out : between;
    this.carried += this.#download ? between : out;
  }
}
