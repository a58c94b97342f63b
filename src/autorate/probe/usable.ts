/** Whether there is anything to go by, and if not, why: the first thing that whoever sees no effect asks. */
import type { Known } from "./known.ts";

/** How many reflectors count now. */
export interface Usable {
  readonly count: number;
  /** What is amiss, for people; left out when all of them answer. */
  readonly reason?: string;
}

/** What it is told by. Times in s. */
export interface UsableInput {
  readonly now: number;
  readonly tick: number;
  readonly paused: boolean;
  readonly peers: readonly Pick<Known, "since" | "lastAnswer" | "baseline" | "ladder" | "sent" | "blocked">[];
  /** Why nothing can be sent. */
  readonly blocked: string | undefined;
}

/** How long answers may take before they are missed, s. */
const PATIENCE = 2;

function silence({ now, peers }: UsableInput): string {
  const last = Math.max(...peers.map(({ lastAnswer = -Infinity }) => lastAnswer));
  const sent = peers.reduce((sum, peer) => sum + peer.sent, 0);
  if (sent === 0) return "nobody has been asked yet";
  if (last === -Infinity && now - Math.min(...peers.map(({ since }) => since)) < PATIENCE)
    return "the first answers are awaited";
  if (last === -Infinity)
    return `none of ${peers.length} reflectors has answered ${sent} probes: is ICMP filtered, or the line down?`;
  if (now - last < PATIENCE) {
    const reason = peers.find(({ ladder }) => ladder.mode === undefined && ladder.reason !== undefined)?.ladder.reason;
    return reason === undefined
      ? "how to ask is being found out"
      : `there are answers, but none that can be used: ${reason}`;
  }
  return `no reflector has answered for ${Math.round(now - last)} s`;
}

/** Tells. */
export function usableOf(input: UsableInput): Usable {
  const { now, tick, paused, peers, blocked } = input;
  if (peers.length === 0) return { count: 0, reason: "the list has no reflector that can be asked" };
  const fresh = peers.filter(({ baseline, ladder }) => ladder.mode && baseline && baseline.last > now - 2 * tick);
  const count = fresh.length;
  if (paused) return { count, reason: "asking is paused while the line is idle" };
  if (count === peers.length) return { count };
  if (blocked !== undefined) return { count, reason: `probes cannot be sent: ${blocked}` };
  return { count, reason: count === 0 ? silence(input) : `${count} of ${peers.length} reflectors answer` };
}
