/** One direction's target with what is known of it: its counter, what it was set to, and whether somebody else set it. */
import { messageOf } from "../../core/errors.ts";
import type { RateTarget } from "../../core/rate-target.ts";
import { bitsPerSecond } from "../../core/units.ts";
import type { DirectionConfig } from "../config.ts";
import { advance, type Odometer, startOdometer } from "./odometer.ts";

/** What an observation found. */
export type Sight =
  | {
      readonly kind: "there";
      readonly rate: number | undefined;
      readonly restarted: boolean;
      readonly foreign: boolean;
    }
  | { readonly kind: "missing"; readonly reason: string };

/** The kernel keeps whole bytes per second: a difference of less is none, kbit/s. */
const SAME = 0.02;

/** A target and its state. */
export class Aim implements Disposable {
  readonly config: DirectionConfig;
  readonly target: RateTarget;
  #odometer: Odometer | undefined;
  /** Bytes that were counted before it was last missing. */
  #before = 0;
  /** kbit/s; what it was last set to, as it was read back. */
  #set: number | undefined;
  /** kbit/s; what was asked for. */
  #asked: number | undefined;
  /** Writes that were carried out, and those that were refused, since the start; a dry run writes nothing. */
  readonly writes = { done: 0, failed: 0 };

  constructor(config: DirectionConfig, target: RateTarget) {
    this.config = config;
    this.target = target;
  }

  /** Bytes since the first look; those of before while it is missing. */
  get bytes(): number {
    return this.#odometer?.total ?? this.#before;
  }

  /** Looks at it. Never throws: what cannot be read is missing. */
  look(): Sight {
    try {
      const seen = this.target.observe();
      if (!seen) return this.#lost(this.target.absence ?? "it is not there");
      const step = this.#odometer ? advance(this.#odometer, seen.sent) : undefined;
      // After an absence the counter is another one, whatever it shows.
      this.#odometer = step?.odometer ?? { ...startOdometer(seen.sent), total: this.#before };
      const rate = seen.rate === undefined ? undefined : seen.rate / 1000;
      const foreign = this.#set !== undefined && (rate === undefined || Math.abs(rate - this.#set) > SAME);
      return { kind: "there", rate, restarted: step?.restarted ?? true, foreign };
    } catch (error) {
      return this.#lost(messageOf(error));
    }
  }

  #lost(reason: string): Sight {
    if (this.#odometer) this.#before = this.#odometer.total;
    this.#odometer = undefined;
    this.#set = undefined;
    return { kind: "missing", reason };
  }

  /** Whether it was last set to this by us, and nobody changed it since. @param rate kbit/s */
  isSetTo(rate: number): boolean {
    return this.#asked === rate && this.#set !== undefined;
  }

  /** Sets it, kbit/s; a dry run tells what it would do. @throws SluiceError AUTORATE_TARGET_MISSING, AUTORATE_TARGET_REFUSED */
  async set(rate: number): Promise<void> {
    try {
      this.#asked = rate;
      this.#set = (await this.target.set(bitsPerSecond(rate * 1000))) / 1000;
      if (this.config.adjust) this.writes.done += 1;
    } catch (error) {
      this.#set = undefined;
      this.writes.failed += 1;
      throw error;
    }
  }

  /** Forgets what it was set to: whatever is there is taken as it is. */
  release(): void {
    this.#set = undefined;
  }

  [Symbol.dispose](): void {
    this.target[Symbol.dispose]();
  }
}
