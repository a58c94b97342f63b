/**
 * Runs a controller over a recorded trace: the same measurements, other decisions. What would have come of them nobody can
 * know; so the rates that the controller is told are the recorded ones or its own, loads are reckoned by them, and
 * everything else is as recorded.
 */
import { both, type Both } from "../../core/both.ts";
import type { Driver } from "../controllers/controller.ts";
import type { Decision, Setup, TickInput } from "../model.ts";
import { decides } from "../runner/hearing.ts";
import { settle } from "../runner/settle.ts";
import { traceBounds, type TraceRun } from "./trace.ts";

/** One tick of a replay. */
export interface ReplayTick {
  /** Since the first of the run, s. */
  readonly at: number;
  /** kbit/s, then and now. */
  readonly recorded: Both<number>;
  readonly rates: Both<number>;
  readonly decision: Decision;
}

/** What was set when the run begins, kbit/s: its start, or what had come of it where the trace begins in its middle. */
const firstRates = ({ ticks }: TraceRun): Both<number> => both((d) => ticks[0]!.input.directions[d].rate);

/** What a controller is made for that is to be run over a run. */
export function replaySetup(run: TraceRun): Setup {
  const { header, ticks } = run;
  const { now, elapsed, directions } = ticks[0]!.input;
  return {
    bounds: both((d) => traceBounds(header.bounds[d])),
    start: firstRates(run),
    now: now - elapsed,
    bytes: both((d) => directions[d].bytes - Math.round((directions[d].achieved * 1000 * elapsed) / 8)),
    period: header.period,
  };
}

/**
 * Replays. As in the link itself, the controller is not asked while nothing is heard of the line: such ticks are left out.
 *
 * @param own the controller is told the rates that it decided itself; otherwise the recorded ones, so that each of its
 *   decisions answers the question "what would it have done here"
 */
export async function replay(run: TraceRun, driver: Driver, own: boolean): Promise<ReplayTick[]> {
  const made: ReplayTick[] = [];
  let rates = firstRates(run);
  const began = run.ticks[0]!.input.now;
  for (const { input, rates: recorded, state } of run.ticks) {
    if (!decides(state)) continue;
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
    // A direction that the link does not have has no rate.
    return { ...side, rate: rates[d], load: rates[d] > 0 ? side.achieved / rates[d] : 0 };
  });
  return { ...input, directions };
}
