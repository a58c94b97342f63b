/**
 * Which reflectors are asked: from time to time a search asks more of them and takes some of the nearest. Pure.
 *
 * The choice is sqm-autorate's: the present ones and 20 others are asked for a second and a half, the nearest are put
 * aside, twice as many as are wanted, and a random half of these is taken, so that not everybody asks the same. Around it is
 * mended:
 *
 * - Wishes for another search are joined to one, and granted after a gap that grows with each of them.
 * - A list with no more than what is wanted is used as it is.
 * - Only who answers during the search counts, and when these are too few the present ones fill up the number.
 */
import type { Random } from "../model.ts";

/** What does not change. */
export interface SelectionOptions {
  /** How many are wanted. */
  readonly wanted: number;
  /** Longest time between two searches, s. */
  readonly reselect: number;
  /** Between two probes of one reflector, s. */
  readonly interval: number;
}

/** A search under way. */
export interface Search {
  /** s */
  readonly since: number;
  readonly until: number;
  /** Whoever is asked, the present ones first. */
  readonly candidates: readonly string[];
}

/** What is known. */
export interface SelectionState {
  /** Those that are asked, by their addresses. */
  readonly peers: readonly string[];
  readonly search?: Search;
  /** Another search is wished for. */
  readonly wished: boolean;
  /** When the next search comes by itself, and how long after it the one after that, s. */
  readonly due: number;
  readonly wait: number;
  /** Not before then is a wish granted, and how long after it the next, s. */
  readonly earliest: number;
  readonly gap: number;
}

/** How many others a search asks. */
const DRAWS = 20;
/** Half of what is put aside is taken. */
const SPARE_FACTOR = 2;
/** Shortest time for which a search asks (sqm-autorate: half a second times pi), and how many probes it takes. */
const SHORTEST_SEARCH = Math.PI / 2;
const SEARCH_PROBES = 3.5;
/** First times between two searches, and between a search and a wish that is granted, s. */
const FIRST_WAIT = 30;
const FIRST_GAP = 5;

/** Fisher-Yates, from the end, with `floor(u * n)` as the place to swap with. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}

/** sqm-autorate's candidates: the present ones and draws from the pool with replacement, each once. */
export function drawWithReplacement(
  peers: readonly string[],
  pool: readonly string[],
  draws: number,
  random: Random,
): string[] {
  const drawn = Array.from({ length: draws }, () => pool[Math.floor(random() * pool.length)]!);
  return [...new Set([...peers, ...drawn])];
}

/** Some of the nearest: `wanted` at most. Candidates without a score are none; equal ones keep their order. */
export function choose(
  candidates: readonly string[],
  scores: ReadonlyMap<string, number>,
  wanted: number,
  random: Random,
): string[] {
  const answered = candidates.filter((address) => scores.has(address));
  const nearest = answered.toSorted((a, b) => scores.get(a)! - scores.get(b)!).slice(0, SPARE_FACTOR * wanted);
  return shuffled(nearest, random).slice(0, wanted);
}

/** How long sqm-autorate waits before its search of this number (from 1) when nobody asks for one, s. */
export const upstreamWait = (round: number, reselect: number): number => (round > 41 ? reselect : FIRST_WAIT);

/** The state at the start: the first of a shuffled list are asked, and a search is due at once if there are others. */
export function firstSelection(
  pool: readonly string[],
  options: SelectionOptions,
  now: number,
  random: Random,
): SelectionState {
  const short = pool.length <= options.wanted;
  return {
    peers: short ? pool : shuffled(pool, random).slice(0, options.wanted),
    wished: false,
    due: short ? Infinity : now,
    wait: Math.min(FIRST_WAIT, options.reselect),
    earliest: short ? Infinity : now,
    gap: FIRST_GAP,
  };
}

/** Notes the wish for another search; however many there are, one is made. */
export const wish = (state: SelectionState): SelectionState => (state.wished ? state : { ...state, wished: true });

/** Whether a search shall begin now. */
export const isSearchDue = ({ search, wished, due, earliest }: SelectionState, now: number): boolean =>
  search === undefined && (now >= due || (wished && now >= earliest));

/**
 * Begins a search among the present ones and 20 others of the pool.
 *
 * @param pool those that can be asked now
 */
export function beginSearch(
  state: SelectionState,
  pool: readonly string[],
  options: SelectionOptions,
  now: number,
  random: Random,
): SelectionState {
  const present = new Set(state.peers);
  const others = shuffled(
    pool.filter((address) => !present.has(address)),
    random,
  ).slice(0, DRAWS);
  const until = now + Math.max(SHORTEST_SEARCH, SEARCH_PROBES * options.interval);
  return { ...state, search: { since: now, until, candidates: [...state.peers, ...others] } };
}

/**
 * Ends the search under way.
 *
 * @param scores of those that answered during it: how far away they are, in any unit
 */
export function endSearch(
  state: SelectionState,
  scores: ReadonlyMap<string, number>,
  options: SelectionOptions,
  now: number,
  random: Random,
): SelectionState {
  const { search, ...rest } = state;
  if (!search) return state;
  const chosen = choose(search.candidates, scores, options.wanted, random);
  const kept = state.peers.filter((address) => !chosen.includes(address));
  return {
    ...rest,
    peers: [...chosen, ...kept].slice(0, options.wanted),
    wished: false,
    due: now + state.wait,
    wait: Math.min(2 * state.wait, options.reselect),
    earliest: now + state.gap,
    // One that came by itself, unasked for, tells that all is well.
    gap: state.wished ? Math.min(2 * state.gap, options.reselect) : FIRST_GAP,
  };
}

/** Puts another in the place of one of the present ones. */
export function replacePeer(state: SelectionState, address: string, by: string): SelectionState {
  return { ...state, peers: state.peers.map((peer) => (peer === address ? by : peer)) };
}
