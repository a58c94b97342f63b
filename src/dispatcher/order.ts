/** In which order a dispatcher calls its members. */

/** What of a member decides its rank. */
export interface Ranked {
  readonly priority: number;
  /** Being attached by this very change. */
  readonly fresh: boolean;
  /** The program's name. */
  readonly name: string;
  readonly linkId: number;
}

/**
 * Members in the order in which they run: by priority, then those being attached before those that are, then by name, then
 * the younger link first. The last key makes two members of one name keep their order in every later rebuild: the one that
 * came first as the newcomer stays first.
 */
export function inOrder<M extends Ranked>(members: readonly M[]): M[] {
  return members.toSorted(
    (a, b) =>
      a.priority - b.priority ||
      Number(b.fresh) - Number(a.fresh) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) ||
      b.linkId - a.linkId,
  );
}
