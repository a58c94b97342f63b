/** The counters of the tree that is in the kernel now, for metrics and streams. */
import type { Output } from "../api/routes.ts";
import { CounterReader } from "../control/shaper/counters.ts";
import { sluiceError } from "../core/errors.ts";
import type { Keeper } from "./keeper.ts";
import type { System } from "./system.ts";

/** Milliseconds before a tree that could not be planned is tried again. */
const RETRY = 1000;

/** Reads them; plans the tree anew when another configuration holds. */
export class Counters implements Disposable {
  readonly #system: System;
  readonly #keeper: Keeper;
  #failure: { readonly at: number; readonly error: unknown } | undefined;
  #reader: { readonly of: unknown; readonly reader: CounterReader } | undefined;

  constructor(system: System, keeper: Keeper) {
    this.#system = system;
    this.#keeper = keeper;
  }

  /** Reads them. @throws SluiceError SHAPER_UNCONFIGURED, and what a plan throws */
  sample(ids?: ReadonlySet<string>): Output<"shaper.counters"> {
    return this.#readerOf().sample(ids);
  }

  /** The interfaces may be others from now on. */
  forget(): void {
    this.#reader?.reader[Symbol.dispose]();
    this.#reader = undefined;
  }

  [Symbol.dispose](): void {
    this.forget();
  }

  #readerOf(): CounterReader {
    const inputs = this.#keeper.configuration?.inputs;
    if (!inputs) throw sluiceError("SHAPER_UNCONFIGURED", { file: this.#system.place.config });
    if (this.#reader?.of === inputs && this.#reader.reader.current) return this.#reader.reader;
    this.forget();
    // A plan for every reader every 100 ms would be much for interfaces that are not there.
    const now = this.#system.place.clock.monotonic();
    if (this.#failure && now - this.#failure.at < RETRY) throw this.#failure.error;
    try {
      const reader = new CounterReader(this.#system.place, inputs);
      this.#reader = { of: inputs, reader };
      this.#failure = undefined;
      return reader;
    } catch (error) {
      this.#failure = { at: now, error };
      throw error;
    }
  }
}
