/** Delays by the million in little memory: counts by logarithm, so that a percentile is right to 1 %. Pure. */

/** Steps of an octave: 2^(1/64) is 1.1 % more. */
const STEPS = 64;
/** From a nanosecond to 18 minutes. */
const OCTAVES = 40;

/** What a percentile is asked for. */
export interface DelayFigures {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Delays of one stream. */
export class Delays {
  readonly #counts = new Float64Array(STEPS * OCTAVES);
  #count = 0;
  #max = 0;

  /** @param nanoseconds what clocks of two hosts make negative counts as none */
  add(nanoseconds: number): void {
    const step = nanoseconds < 1 ? 0 : Math.floor(Math.log2(nanoseconds) * STEPS);
    this.#counts[Math.min(step, this.#counts.length - 1)]! += 1;
    this.#count += 1;
    if (nanoseconds > this.#max) this.#max = nanoseconds;
  }

  /** Nanoseconds that this part of all delays does not exceed, to 1 %; undefined when there are none. @param part 0 to 1 */
  percentile(part: number): number | undefined {
    let left = Math.max(1, Math.ceil(part * this.#count));
    if (this.#count === 0) return undefined;
    const at = this.#counts.findIndex((count) => (left -= count) <= 0);
    return Math.min(this.#max, 2 ** ((at + 0.5) / STEPS));
  }

  /** In microseconds; undefined when there are none. */
  figures(): DelayFigures | undefined {
    const [p50, p99] = [this.percentile(0.5), this.percentile(0.99)];
    if (p50 === undefined || p99 === undefined) return undefined;
    return { p50: p50 / 1000, p99: p99 / 1000, max: this.#max / 1000 };
  }
}
