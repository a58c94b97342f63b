/** A target that is looked at and never changed. */
import type { RateObservation, RateTarget } from "../../core/rate-target.ts";
import { type BitsPerSecond, humanRate, wholeBytesRate } from "../../core/units.ts";
import { logger } from "../../core/log.ts";

const log = logger("autorate");

/** Wraps another, and disposes it. It shows what is really there; what would be set is logged and remembered. */
export class DryRunTarget implements RateTarget {
  readonly #real: RateTarget;
  #wanted: BitsPerSecond | undefined;

  constructor(real: RateTarget) {
    this.#real = real;
  }

  get label(): string {
    return `${this.#real.label} (dry run)`;
  }

  /** What it would be set to; undefined before anything was. */
  get wanted(): BitsPerSecond | undefined {
    return this.#wanted;
  }

  get absence(): string | undefined {
    return this.#real.absence;
  }

  observe(): RateObservation | undefined {
    return this.#real.observe();
  }

  show(rate: BitsPerSecond): readonly string[] {
    return this.#real.show?.(rate) ?? [];
  }

  /** Sets nothing. @returns what it would be set to @throws what the real one would throw before it writes */
  set(rate: BitsPerSecond): Promise<BitsPerSecond> {
    return Promise.try(() => {
      const lines = this.show(rate);
      const wanted = wholeBytesRate(rate);
      if (wanted !== this.#wanted) {
        const line = lines.length > 0 ? `tc ${lines.join("; tc ")}` : "nothing to do";
        log.info("would set {target} to {rate}: {line}", { target: this.#real.label, rate: humanRate(wanted), line });
      }
      this.#wanted = wanted;
      return wanted;
    });
  }

  [Symbol.dispose](): void {
    this.#real[Symbol.dispose]();
  }
}
