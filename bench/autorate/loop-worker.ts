/** A process that lets controllers drive simulated lines: it is sent an order, and sends what came of it. */
import { contest, SCENARIO_BY_NAME } from "../../src/autorate/simulation/contest.ts";
import { parseContestant } from "../../src/autorate/simulation/contestant.ts";
import type { LoopOrder, LoopOutcome } from "./loop-pool.ts";

async function carryOut({ scenario, controller, seed }: LoopOrder): Promise<LoopOutcome> {
  const contestant = parseContestant(controller);
  if ("reason" in contestant) throw new Error(contestant.reason);
  return { scenario, controller, seed, figures: await contest(SCENARIO_BY_NAME.get(scenario)!, seed, contestant) };
}

process.on("message", (order: LoopOrder) => {
  void carryOut(order).then((outcome) => process.send!(outcome));
});
