/** What is wrong now. */
import type { ConditionJson } from "../api/schemas/system.ts";
import type { Clock } from "../core/clock.ts";
import { fill, type Params } from "../core/errors.ts";
import { type ConditionCode, type ConditionSpec, CONDITIONS } from "./conditions.ts";

/** Hears of conditions that come and go. */
export interface HealthListener {
  readonly raised: (condition: ConditionJson) => void;
  readonly cleared: (condition: ConditionJson) => void;
}

/** The conditions that hold. One code may hold for several subjects, such as parts. */
export class Health {
  readonly #clock: Clock;
  readonly #listener: HealthListener;
  readonly #held = new Map<string, ConditionJson>();

  constructor(clock: Clock, listener: HealthListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Says that something is wrong; again with another text is the same condition. */
  raise(code: ConditionCode, params: Params = {}, subject = ""): void {
    const spec: ConditionSpec = CONDITIONS[code];
    const key = `${code} ${subject}`;
    const before = this.#held.get(key);
    const since = before?.since ?? new Date(this.#clock.now()).toISOString();
    const message = fill(spec.message, params);
    const condition = { code, severity: spec.severity, message, remedy: spec.remedy, since };
    this.#held.set(key, condition);
    if (before?.message !== message) this.#listener.raised(condition);
  }

  /** Says that it is not wrong, or no more. */
  clear(code: ConditionCode, subject = ""): void {
    const key = `${code} ${subject}`;
    const before = this.#held.get(key);
    if (!before) return;
    this.#held.delete(key);
    this.#listener.cleared(before);
  }

  /** What holds, errors first. */
  list(): ConditionJson[] {
    const rank = ({ severity }: ConditionJson): number => (severity === "error" ? 0 : 1);
    return [...this.#held.values()].toSorted((a, b) => rank(a) - rank(b) || a.code.localeCompare(b.code));
  }
}
