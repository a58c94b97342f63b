/** When the next probe leaves: spaced evenly, and never too many of them. Pure. */
import type { ProbeKind } from "../../linux/icmp/codec.ts";

/** One probe to come. */
export interface Turn {
  readonly address: string;
  readonly kind: ProbeKind;
}

/** Least time between two probes of a link, ms. */
const LEAST_SPACING = 5;

/** Rounds of probes: in each one, everybody is asked once in each of their kinds. */
export class Pacer {
  readonly #interval: number;
  #round: readonly Turn[] = [];
  #at = 0;
  #due: number;

  /** @param interval of a round, ms @param now when the first probe is due, ms */
  constructor(interval: number, now: number) {
    this.#interval = interval;
    this.#due = now;
  }

  /** Whether the round is over, so that the next {@link begin} may follow. */
  get isOver(): boolean {
    return this.#at >= this.#round.length;
  }

  /** When the next probe is due, ms. */
  get due(): number {
    return this.#due;
  }

  /** Begins the next round. */
  begin(round: readonly Turn[]): void {
    this.#round = round;
    this.#at = 0;
  }

  /** Takes the next probe of the round at its time; undefined when nobody is to be asked in it. */
  next(now: number): Turn | undefined {
    const turn = this.#round[this.#at];
    this.#at += 1;
    const spacing = Math.max(LEAST_SPACING, this.#interval / Math.max(1, this.#round.length));
    // What was missed is not made up for: the line would see a burst.
    const due = this.#due + spacing;
    this.#due = due < now ? now + spacing : Math.max(due, now + LEAST_SPACING);
    return turn;
  }
}
