/** Whether the line is heard, and what is made of silence. Pure. */
import { both, type Both, DIRECTIONS } from "../../core/both.ts";
import type { OnSilence } from "../config.ts";
import type { Bounds } from "../model.ts";

/**
 * The state of a link, in one word. `starting`: no reflector has answered yet. `running`: under control. `idle`: without
 * traffic for so long that nobody is asked. `stalled`: neither answers nor traffic, so the line is dead for now. `blind`:
 * traffic flows but nobody answers, so the reflectors are at fault. `waiting`: what is to be set is not there.
 */
export type LinkState = "starting" | "running" | "idle" | "stalled" | "blind" | "waiting";

/** What the state is judged by; times in s, rates in kbit/s. */
export interface Heard {
  readonly now: number;
  /** When it began. */
  readonly since: number;
  /** When the last answer came; undefined before the first. */
  readonly answered: number | undefined;
  /** When there was traffic last. */
  readonly active: number;
  readonly achieved: Both<number>;
}

/** How long it takes. */
export interface Patience {
  /** Silence is silence after this, s. */
  readonly silence: number;
  /** Nobody is asked after this without traffic, s; 0: never. */
  readonly idle: number;
}

/** Less than this is not a line that carries traffic, kbit/s (cake-autorate's connection_stall_thr). */
const DEAD = 10;
/** What is done about silence is done after this, s (cake-autorate's global_ping_response_timeout). */
export const SILENCE_ACTS = 10;

/** The state. */
export function hearing({ now, since, answered, active, achieved }: Heard, patience: Patience): LinkState {
  if (patience.idle > 0 && now - active >= patience.idle) return "idle";
  if (answered === undefined && now - since < SILENCE_ACTS) return "starting";
  if (answered !== undefined && now - answered <= patience.silence) return "running";
  return DIRECTIONS.every((d) => achieved[d] > DEAD) ? "blind" : "stalled";
}

/** Whether the controller is asked in a state. */
export const decides = (state: LinkState): boolean => state === "running" || state === "blind";

/** The rates while nothing was heard for long. */
export function silenced(on: OnSilence, rates: Both<number>, bounds: Both<Bounds>): Both<number> {
  if (on === "hold") return rates;
  return both((d) => (on === "min" ? bounds[d].min : Math.min(rates[d], bounds[d].base)));
}
