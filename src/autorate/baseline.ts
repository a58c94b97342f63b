/**
 * What a reflector's delay is without queues, and how far above that it is now: per direction and for the round trip, each
 * a slow mean that follows downwards at once (the baseline) and a fast one (recent). Pure.
 *
 * The rules are sqm-autorate's, which `upstream` follows to the last bit. By default they are mended:
 *
 * - Means decay by the time that passed, so that lost answers do not slow them down.
 * - A one-way delay hangs on two clocks, of which one may lie, drift or be set; a round trip hangs on ours alone. So no
 *   direction counts for more than what the round trip grew by, and a clock that was set shifts its baselines at once.
 * - After a silence the baseline is kept, and rises more quickly for a while: what comes first after an idle time is often
 *   the very load that filled the queue.
 * - A reflector that is new while the others see a queue is taken to see it too, and not for one that is far away.
 * - A delay of more than 100 ms over the baseline lifts it as one of 100 ms does: a few seconds behind a queue of seconds
 *   would leave a baseline that is too high by as much as what shall be noticed next.
 * - Delays of more than 5 s over the baseline leave it as it is, and so does what comes after them.
 */
import { type Both, both, type Direction, DIRECTIONS } from "../core/both.ts";

/** A slow and a fast mean of the same thing, ms. */
export interface Levels {
  readonly base: number;
  readonly recent: number;
}

/** What is known of one reflector. Plain data, never changed in place. */
export interface BaselineState {
  /** One way; includes the offset of the reflector's clock. */
  readonly owd: Both<Levels>;
  readonly rtt: Levels;
  /** Mean change of the round trip from answer to answer, ms. */
  readonly jitter: number;
  /** Smoothed delay over the baseline, ms. */
  readonly delta: Both<number>;
  /** When the last answer came, s; earlier by a minute after one that was out of all measure (upstream). */
  readonly last: number;
  /** Until then the baseline rises quickly, s. */
  readonly unsure: number;
  /** Until then it is guessed by what others see of queues, s. */
  readonly guessed: number;
}

/** What is measured: one answer. */
export interface Measured {
  /** s */
  readonly received: number;
  /** ms */
  readonly owd: Both<number>;
  /** ms */
  readonly rtt: number;
}

/** How it is reckoned. */
export type Rules =
  | {
      readonly kind: "real";
      /**
       * What the others see of queues now, ms: a reflector that is new is taken to see the same. Undefined when there are
       * none that know.
       */
      readonly queued?: Both<number> | undefined;
    }
  /** sqm-autorate's, whose means keep the same share at every answer: {@link kept} of one configured tick. */
  | { readonly kind: "upstream"; readonly slow: number; readonly fast: number };

/** What an answer made of it. */
export interface BaselineStep {
  readonly state: BaselineState;
  /** This one answer over the baseline, ms. A little below 0 when it was quicker than most. */
  readonly delta: Both<number>;
  /** Out of all measure: other reflectors are wanted. */
  readonly reselect: boolean;
  /** The clock of either side was found to have been set, by so much (upload longer when positive), ms. */
  readonly clockStep?: number;
}

/** Half lives of baseline and recent, s. */
export const HALF_LIFE = { slow: 135, fast: 0.4 } as const;
/** Of the baseline after a silence, and for how long. */
const UNSURE_SLOW = 10;
const UNSURE_FOR = 30;
const JITTER = 2;
/** A silence, s. */
const STALE = 30;
/** Half life of a baseline that is guessed, and for how long it is, s: others may be wrong for a moment. */
const GUESSED_SLOW = 1;
const GUESSED_FOR = 10;
/** What a silence counts for in the baseline, s: little was seen of it. */
const STALE_COUNTS = 1;
/** A queue of seconds is no longer path: the baseline rises by no more than for so much delay, ms. */
const LONGER_PATH = 100;
/** Out of all measure, ms over the baseline. */
const ANOMALY = 5000;
/** How far upstream puts back the time of the last answer then, s. */
const PUT_BACK = 60;
/** How exact stamps are, ms: both ends count in whole milliseconds. */
const STAMP_ERROR = 2;
/** What no queue explains beyond this, and four times the jitter, is a clock that was set, ms. */
const CLOCK_STEP = 10;
/** A baseline that is guessed keeps at least this share of the first round trip. */
const LEAST_SHARE = 0.1;

/**
 * What is left of a mean after some time (s): half of it after its half life. C's exp(3) differs from this one in the last
 * bit for some arguments, so whoever compares with records takes theirs.
 */
export const kept = (halfLife: number, time: number): number => Math.exp(Math.log(0.5) / (halfLife / time));

/** @param most the baseline follows upwards as if no sample were more than this above it, ms */
function follow(
  levels: Levels,
  sample: number,
  slow: number,
  fast: number,
  queued = 0,
  most = Number.POSITIVE_INFINITY,
): Levels {
  const recent = levels.recent * fast + (1 - fast) * sample;
  const base = levels.base * slow + (1 - slow) * Math.min(sample - queued, levels.base + most);
  return { base: Math.min(base, recent), recent };
}

const level = (sample: number, below = 0): Levels => ({ base: sample - below, recent: sample });

function upstream(state: BaselineState | undefined, sample: Measured, slow: number, fast: number): BaselineStep {
  const { received: last, owd, rtt } = sample;
  const over = (s: BaselineState, limit: number): boolean =>
    DIRECTIONS.some((direction) => owd[direction] > s.owd[direction].base + limit);
  const fresh = state && last - state.last <= STALE ? state : undefined;
  if (fresh && over(fresh, ANOMALY))
    return { state: { ...fresh, last: last - PUT_BACK }, delta: fresh.delta, reselect: true };
  const from = fresh ? fresh.owd : both((direction) => level(owd[direction]));
  const next = both((direction) => follow(from[direction], owd[direction], slow, fast));
  const delta = both((direction) => next[direction].recent - next[direction].base);
  return {
    state: { owd: next, rtt: level(rtt), jitter: 0, delta, last, unsure: 0, guessed: 0 },
    delta,
    reselect: false,
  };
}

/** Bounds a direction's delay over the baseline by what the round trip grew by. */
const bounded = (delta: number, grown: number): number => Math.min(delta, Math.max(0, grown) + STAMP_ERROR);

const NO_QUEUES: Both<number> = { download: 0, upload: 0 };

/** What others see of queues, as far as it fits into a round trip, ms. */
function fitting(queued: Both<number>, rtt: number): Both<number> {
  const wanted = both((direction) => Math.max(0, queued[direction]));
  const sum = wanted.download + wanted.upload;
  const share = sum === 0 ? 0 : Math.min(1, ((1 - LEAST_SHARE) * rtt) / sum);
  return both((direction) => wanted[direction] * share);
}

function first({ received, owd, rtt }: Measured, queued: Both<number> = NO_QUEUES): BaselineStep {
  const delta = fitting(queued, rtt);
  const sum = delta.download + delta.upload;
  const levels = both((direction) => level(owd[direction], delta[direction]));
  const guessed = sum > 0 ? received + GUESSED_FOR : 0;
  const state = { owd: levels, rtt: level(rtt, sum), jitter: 0, delta, last: received, unsure: 0, guessed };
  return { state, delta, reselect: false };
}

/**
 * How far a clock was set, ms: what one direction says to have grown by beyond what the round trip grew by. Undefined when
 * jitter may explain it.
 */
function clockStep(state: BaselineState, { owd, rtt }: Measured): number | undefined {
  const grown = Math.max(0, rtt - state.rtt.base);
  const allowed = grown + CLOCK_STEP + 4 * state.jitter;
  const over = (direction: Direction): number => owd[direction] - state.owd[direction].base;
  // Where the queue is nobody can tell by this answer: it is left where it was.
  const beyond = (direction: Direction): number =>
    over(direction) - Math.min(grown, Math.max(0, state.delta[direction]));
  if (over("upload") > allowed) return beyond("upload");
  return over("download") > allowed ? -beyond("download") : undefined;
}

const shifted = ({ base, recent }: Levels, by: number): Levels => ({ base: base + by, recent: recent + by });

/** What is left of the baseline after a gap (s). */
function slowly(gap: number, { unsure, guessing }: { readonly unsure: boolean; readonly guessing: boolean }): number {
  const halfLife = guessing ? GUESSED_SLOW : unsure ? UNSURE_SLOW : HALF_LIFE.slow;
  return kept(halfLife, gap > STALE ? STALE_COUNTS : gap);
}

function real(known: BaselineState, sample: Measured, others: Both<number> | undefined): BaselineStep {
  const { owd, rtt, received } = sample;
  const set = clockStep(known, sample);
  const from: Both<Levels> =
    set === undefined
      ? known.owd
      : { upload: shifted(known.owd.upload, set), download: shifted(known.owd.download, -set) };
  const gap = Math.max(0, received - known.last);
  const unsure = gap > STALE ? received + UNSURE_FOR : known.unsure;
  const anomaly = rtt > known.rtt.base + ANOMALY;
  const guessing = others !== undefined && received < known.guessed;
  const queued = guessing ? fitting(others, rtt) : NO_QUEUES;
  // One that is not sure of itself may be wrong by any amount.
  const most = received < unsure || guessing ? Number.POSITIVE_INFINITY : LONGER_PATH;
  const slow = anomaly ? 1 : slowly(gap, { unsure: received < unsure, guessing });
  const fast = kept(HALF_LIFE.fast, gap);
  const round = follow(known.rtt, rtt, slow, fast, queued.download + queued.upload, most);
  const levels = both((direction) => follow(from[direction], owd[direction], slow, fast, queued[direction], most));
  const rest = kept(JITTER, gap);
  const jitter = known.jitter * rest + (1 - rest) * Math.abs(rtt - known.rtt.recent);
  const delta = both((direction) =>
    bounded(levels[direction].recent - levels[direction].base, round.recent - round.base),
  );
  return {
    state: {
      owd: levels,
      rtt: round,
      jitter,
      delta,
      last: Math.max(received, known.last),
      unsure,
      guessed: known.guessed,
    },
    delta: both((direction) => bounded(owd[direction] - levels[direction].base, rtt - round.base)),
    reselect: anomaly,
    ...(set !== undefined && { clockStep: set }),
  };
}

/** Takes one answer of a reflector in; `state` is undefined when it is not known yet. */
export function step(state: BaselineState | undefined, sample: Measured, rules: Rules): BaselineStep {
  if (rules.kind === "upstream") return upstream(state, sample, rules.slow, rules.fast);
  return state ? real(state, sample, rules.queued) : first(sample, rules.queued);
}

/** What is known of a reflector that is asked for its round trip only from now on: half of it is each direction's. */
export function halved(state: BaselineState): BaselineState {
  const half = { base: state.rtt.base / 2, recent: state.rtt.recent / 2 };
  const delta = half.recent - half.base;
  return { ...state, owd: { download: half, upload: half }, delta: { download: delta, upload: delta } };
}

/** What is known of a reflector whose directions are told apart again by this answer: what it is late by is halved. */
export function parted(state: BaselineState, { owd, rtt }: Measured): BaselineState {
  const late = Math.max(0, rtt - state.rtt.base) / 2;
  return {
    ...state,
    owd: both((direction) => level(owd[direction], late)),
    delta: { download: late, upload: late },
  };
}

/**
 * The smoothed deltas of those that answered within the last two ticks, ascending: what controllers of sqm-autorate's kind
 * go by.
 *
 * @param now s @param tick s
 */
export function collectDeltas(states: Iterable<BaselineState>, now: number, tick: number): Both<number[]> {
  const fresh = [...states].filter(({ last }) => last > now - 2 * tick);
  return both((direction) => fresh.map(({ delta }) => delta[direction]).toSorted((a, b) => a - b));
}
