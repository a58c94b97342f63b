/**
 * Runs a controller over a recorded trace: the same measurements, other decisions. What would have come of them nobody can
 * know; so the rates that the controller is told are its own, loads are reckoned by them, and everything else is as
 * recorded.
 */
import { both, type Both } from "../../core/both.ts";
import type { Driver } from "../controllers/controller.ts";
import type { Decision, TickInput } from "../model.ts";
import { settle } from "../runner/settle.ts";
import type { Trace } from "./trace.ts";

/** One tick of a replay. */
export interface ReplayTick {
  /** Since the first, s. */
  readonly at: number;
  /** kbit/s, then and now. */
  readonly recorded: Both<number>;
  readonly rates: Both<number>;
  readonly decision: Decision;
}

/**
 * Replays.
 *
 * @param own the controller is told the rates that it decided itself; otherwise the recorded ones, so that each of its
 *   decisions answers the question "what would it have done here"
 */
export async function replay(trace: Trace, driver: Driver, own: boolean): Promise<ReplayTick[]> {
  const made: ReplayTick[] = [];
  let rates = trace.header.start;
  const began = trace.ticks[0]?.input.now ?? 0;
  for (const { input, rates: recorded } of trace.ticks) {
    const told = own ? withRates(input, rates) : input;
    const decision = await driver.decide(told);
    rates = both((d) => settle(decision[d].rate, input.directions[d].bounds));
    made.push({ at: input.now - began, recorded, rates, decision });
  }
  return made;
}

function withRates(input: TickInput, rates: Both<number>): TickInput {
  const directions = both((d) => {
    const side = input.directions[d];
    return { ...side, rate: rates[d], load: side.achieved / rates[d] };
  });
  return { ...input, directions };
}
