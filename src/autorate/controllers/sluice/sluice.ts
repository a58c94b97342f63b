/**
 * Sluice's own controller, the default. It estimates what the line carries from what is sent and how the delay grows, cuts
 * to it at once, lets the queue drain before it judges again, and looks for more the faster the longer nothing happens. A
 * line without traffic is left alone whatever its delay. Equations and sources: docs/autorate.md.
 */
import { both, type Both, type Direction } from "../../../core/both.ts";
import type { Decision, TickInput } from "../../model.ts";
import type { Controller } from "../controller.ts";
import { overdue, pointOf } from "./evidence.ts";
import type { SluiceOptions } from "./options.ts";
import { newSide, type Side } from "./side.ts";
import { stepSide } from "./step.ts";

/** What the controller knows. */
export type SluiceState = Both<Side>;

/** Between ticks, s. */
const PERIOD = 0.1;
/** With fewer reflectors than this others are looked for. */
const ENOUGH = 3;
/** Below this load a direction has no part in a round trip's delay. */
const LITTLE = 0.5;

const other = (direction: Direction): Direction => (direction === "download" ? "upload" : "download");

/** The controller. */
export function sluice(options: SluiceOptions): Controller<SluiceState> {
  function step(state: SluiceState, input: TickInput): { state: SluiceState; decision: Decision } {
    const { now, directions, samples, outstanding, elapsed } = input;
    const made = both((direction) => {
      const otherIdle = directions[other(direction)].load < LITTLE;
      const unheard = direction === "upload" && samples.length === 0 ? overdue(outstanding, 1000, now) : undefined;
      const fresh = samples.map((sample) => pointOf(sample, direction, otherIdle));
      const around = { direction, now, elapsed, fresh, outstanding, overdue: unheard };
      return stepSide(state[direction], directions[direction], around, options);
    });
    const reselect = both((d) => directions[d].deltas.length < ENOUGH);
    return {
      state: both((d) => made[d].side),
      decision: { ...both((d) => made[d].verdict), reselect: reselect.download || reselect.upload },
    };
  }

  return {
    name: "sluice",
    period: PERIOD,
    init: ({ now, bytes, start }) => both((d) => newSide({ at: now, bytes: bytes[d], rate: start[d] }, options)),
    step,
  };
}
