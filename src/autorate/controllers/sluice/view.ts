/** What every branch of the controller `sluice` looks at, and how it says what it decided. Pure. */
import type { Direction } from "../../../core/both.ts";
import type { DirectionInput, Outstanding, Verdict } from "../../model.ts";
import type { Evidence, Point } from "./evidence.ts";
import type { Use } from "./load.ts";
import type { SluiceOptions } from "./options.ts";
import type { Side } from "./side.ts";

/** What else a direction is told. */
export interface Around {
  readonly direction: Direction;
  /** s */
  readonly now: number;
  /** Since the last tick, s. */
  readonly elapsed: number;
  /** The new points. */
  readonly fresh: readonly Point[];
  /** Probes under way, the oldest first. */
  readonly outstanding: readonly Outstanding[];
  /** Delay of probes that are not back, when it can only be this direction's, ms. */
  readonly overdue: number | undefined;
}

/** All of it. */
export interface View {
  readonly options: SluiceOptions;
  readonly input: DirectionInput;
  readonly around: Around;
  readonly side: Side;
  readonly evidence: Evidence;
  /** Of the last third of a second. */
  readonly use: Use;
  /** Delay that counts as bloat, with what a packet takes to send, ms. */
  readonly threshold: number;
}

/** What a branch makes of it. */
export interface Step {
  readonly side: Side;
  readonly verdict: Verdict;
}

/** The traffic follows a rate when it uses so much of it; what it leaves, something else keeps from it. */
export const FOLLOWS = 0.92;
/** Answers tell of the queue so much later, s. */
export const LAG = 0.15;
/** What is delivered now is judged by this, s. */
export const JUST_NOW = 0.1;

/** A decision. */
export function decide(side: Side, rate: number, branch: string, blocked?: string): Step {
  const { capacity } = side;
  const verdict = {
    rate,
    branch,
    ...(blocked !== undefined && { blocked }),
    ...(capacity !== undefined && { capacity }),
  };
  return { side, verdict };
}

/** The decision to leave the rate as it is. */
export const stay = ({ input, side }: View, branch: string, blocked: string, changed?: Partial<Side>): Step =>
  decide(changed ? { ...side, ...changed } : side, input.rate, branch, blocked);

/** Above this a delay is not the quiet line's any more, ms. */
export const quietLimit = ({ side: { quiet, jitter }, threshold }: Pick<View, "side" | "threshold">): number =>
  Math.min(threshold, quiet + Math.max(4, 4 * jitter));

/** How low a delay must be for the queue to be gone, ms. */
export const lowDelay = (view: View): number => Math.max(view.threshold / 2, quietLimit(view));
