/** What is known of a reflector, as status shows it. Pure. */
import { both } from "../../core/both.ts";
import type { Known, ReflectorState } from "./known.ts";
import type { Roster } from "./roster.ts";

/** A row of the table. */
export function stateOf(known: Known, roster: Roster): ReflectorState {
  const { reflector, ladder, baseline, lastAnswer, blocked } = known;
  const reason = blocked ?? ladder.reason;
  return {
    ...reflector,
    asked: roster.isPeer(reflector.address),
    ...(ladder.mode && { mode: ladder.mode }),
    ...(reason !== undefined && { reason }),
    ...(lastAnswer !== undefined && { lastAnswer }),
    ...(baseline && {
      baseline: { owd: both((direction) => baseline.owd[direction].base), rtt: baseline.rtt.base },
      delta: baseline.delta,
    }),
    loss: known.loss,
    offences: roster.offencesOf(reflector.address),
    sent: known.sent,
    answered: known.answered,
    refused: { ...known.refused },
  };
}
