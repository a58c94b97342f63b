/** What the box must do for rules to work: which groups it joins, and what each input carries. Pure. */
import { addressText } from "../core/prefix.ts";
import type { PlaneRule } from "./model.ts";
import { isGroup, type Resolved } from "./resolve.ts";

/** A membership: of a group on an interface, for all sources or for one. */
export interface Membership {
  readonly ifindex: number;
  readonly group: string;
  readonly source?: string;
}

/** What tells memberships apart. */
export const membershipKey = ({ ifindex, group, source = "" }: Membership): string => `${ifindex} ${group} ${source}`;

/** The membership that a rule needs; undefined where there is no group to join. */
export function membershipOf({ ifindex, group, source }: PlaneRule): Membership | undefined {
  if (!isGroup(group)) return undefined;
  return { ifindex, group: addressText(group), ...(source && { source: addressText(source) }) };
}

/**
 * The memberships that rules need, each once. One for all sources makes those for single ones needless, and the kernel
 * would not have both in one socket.
 */
export function memberships(resolved: readonly Resolved[]): Membership[] {
  const all = resolved.flatMap(({ plane }) => (plane ? (membershipOf(plane) ?? []) : []));
  const unique = new Map(all.map((membership) => [membershipKey(membership), membership]));
  return [...unique.values()].filter(({ source, ...any }) => source === undefined || !unique.has(membershipKey(any)));
}

/** Rules that are active, by the number of their input. */
export function byInput(resolved: readonly Resolved[]): Map<number, PlaneRule[]> {
  return Map.groupBy(
    resolved.flatMap(({ plane }) => plane ?? []),
    ({ ifindex }) => ifindex,
  );
}
