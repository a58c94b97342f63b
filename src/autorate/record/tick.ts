/** What is kept of a tick: for the status, the files, the API and whoever replays it. Plain data; units as in ../model.ts. */
import type { Both, Direction } from "../../core/both.ts";
import type { Decision, TickInput } from "../model.ts";
import type { LinkState } from "../runner/hearing.ts";

/** One tick of a link. */
export interface TickRecord {
  /** Wall clock, ms since the epoch. */
  readonly wall: number;
  readonly state: LinkState;
  /** What was measured; absent while there was nothing to measure. */
  readonly input?: TickInput;
  /** What the controller made of it; absent when it was not asked. */
  readonly decision?: Decision;
  /** What came of it, within the bounds, kbit/s. */
  readonly wanted: Both<number>;
  /** What the targets are set to afterwards, kbit/s: what was wanted, unless nothing may be written. */
  readonly rates: Both<number>;
  /** Directions that were written. */
  readonly written: readonly Direction[];
  /** Why nothing was decided, or what plugins had to say. */
  readonly notes: readonly string[];
}
