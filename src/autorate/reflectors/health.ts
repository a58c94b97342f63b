/**
 * How good the reflectors are that are asked, and which of them another should take the place of. Pure. The rules are
 * cake-autorate's: once a second each must have answered within a second, or it is an offence; three in the last 60 checks
 * and it is replaced. Once a minute those far behind the best are replaced, once an hour one at random.
 *
 * Two things are mended: while nobody answers it is the line's fault and no offence of theirs, and who is merely further
 * away than the best gives way only to one that is known to be nearer.
 */
import type { Random } from "../model.ts";

/** What is known of the reflectors that are asked. Plain data, never changed in place. */
export interface HealthState {
  /** Of each, its last checks, the newest last: whether it was an offence. */
  readonly checks: ReadonlyMap<string, readonly boolean[]>;
  /** When each of these was last done, s. */
  readonly checked: number;
  readonly compared: number;
  readonly rotated: number;
}

/** What is seen of a reflector. */
export interface Seen {
  readonly address: string;
  /** Asked since then, s. */
  readonly since: number;
  /** s */
  readonly lastAnswer?: number | undefined;
  /** Round trip without queues, ms. */
  readonly baseline?: number | undefined;
  /** Mean of what its round trips were above it, ms. */
  readonly late?: number | undefined;
}

/** One that another shall take the place of. */
export interface Replacement {
  readonly address: string;
  readonly by: string;
  /** For people. */
  readonly reason: string;
}

const CHECK_EVERY = 1;
const CHECKS = 60;
const OFFENCES = 3;
const COMPARE_EVERY = 60;
const ROTATE_EVERY = 3600;
/** How far behind the best one may be, ms. */
const FARTHER = 20;
const LATER = 10;

/** The state at the start. */
export const firstHealth = (now: number): HealthState => ({
  checks: new Map(),
  checked: now,
  compared: now,
  rotated: now,
});

/** Offences of a reflector in its last 60 checks. */
export const offencesOf = ({ checks }: HealthState, address: string): number =>
  checks.get(address)?.filter(Boolean).length ?? 0;

function check(state: HealthState, now: number, seen: readonly Seen[], deadline: number): HealthState {
  const within = ({ lastAnswer = -Infinity }: Seen, time: number): boolean => lastAnswer > now - time;
  // Half of it, for when the line goes down the one that answered last seems well for longer than the others.
  const anybody = seen.some((one) => within(one, deadline / 2));
  const checks = new Map(
    seen.map((one) => {
      const earlier = state.checks.get(one.address) ?? [];
      if (!anybody || now - one.since <= deadline) return [one.address, earlier];
      return [one.address, [...earlier, !within(one, deadline)].slice(-CHECKS)];
    }),
  );
  return { ...state, checks, checked: now };
}

/** The one that is furthest behind the best, by either measure, with the nearest spare that would not be. */
function compare(seen: readonly Seen[], spares: readonly Seen[]): Replacement | undefined {
  const best = (of: "baseline" | "late"): number => Math.min(...seen.map((one) => one[of] ?? Infinity));
  const nearest = best("baseline");
  const promptest = best("late");
  const near = spares
    .filter(({ baseline }) => baseline !== undefined && baseline <= nearest + FARTHER)
    .toSorted((a, b) => a.baseline! - b.baseline!)[0];
  if (!near) return undefined;
  const behind = seen
    .map(({ address, baseline = 0, late = 0 }) => ({ address, far: baseline - nearest, late: late - promptest }))
    .filter(({ far, late }) => far > FARTHER || late > LATER)
    .toSorted((a, b) => Math.max(b.far, b.late) - Math.max(a.far, a.late))[0];
  if (!behind) return undefined;
  const { address, far, late } = behind;
  const reason =
    far > FARTHER
      ? `its round trip is ${far.toFixed(0)} ms longer than the best`
      : `its answers come ${late.toFixed(0)} ms later above their baseline than the best's`;
  return { address, by: near.address, reason };
}

/** Whether a check is due. */
export const isCheckDue = ({ checked }: HealthState, now: number): boolean => now - checked >= CHECK_EVERY;

/**
 * Does the checks that are due. At most one reflector is replaced at a time.
 *
 * @param seen those that are asked
 * @param spares those that could be asked instead, the next one first
 * @param deadline within which an answer is wanted, s: two probes' time or more
 */
export function checkHealth(
  before: HealthState,
  now: number,
  seen: readonly Seen[],
  spares: readonly Seen[],
  deadline: number,
  random: Random,
): { readonly state: HealthState; readonly replace?: Replacement } {
  if (!isCheckDue(before, now) || seen.length === 0) return { state: before };
  const state = check(before, now, seen, deadline);
  const spare = spares[0];
  const replaced = (
    next: HealthState,
    address: string,
    by: string,
    reason: string,
  ): { readonly state: HealthState; readonly replace: Replacement } => {
    const checks = new Map(next.checks);
    checks.delete(address);
    return { state: { ...next, checks }, replace: { address, by, reason } };
  };
  const worst = seen.toSorted((a, b) => offencesOf(state, b.address) - offencesOf(state, a.address))[0]!;
  const offences = offencesOf(state, worst.address);
  if (spare && offences >= OFFENCES)
    return replaced(state, worst.address, spare.address, `it did not answer in time ${offences} times of late`);
  if (now - state.compared >= COMPARE_EVERY) {
    const compared = { ...state, compared: now };
    const found = compare(seen, spares);
    return found ? replaced(compared, found.address, found.by, found.reason) : { state: compared };
  }
  if (spare && now - state.rotated >= ROTATE_EVERY) {
    const any = seen[Math.floor(random() * seen.length)]!;
    return replaced({ ...state, rotated: now }, any.address, spare.address, "another one is tried once an hour");
  }
  return { state };
}
