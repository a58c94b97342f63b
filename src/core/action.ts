/**
 * Actions are what a plan is made of: plain data, a closed union on `kind` per domain. What an executor needs to know of
 * any of them is here; what a domain's actions *are* stands in that domain's `actions.ts`.
 */

/** The part that all actions share. Domains extend it to a closed union on `kind`. */
export interface Action {
  readonly kind: string;
}

/** How a plan's line begins: something comes, changes in place, or goes. */
export type Sign = "+" | "~" | "-";

/** What a domain tells about its actions: pure functions over its closed union. */
export interface ActionVocabulary<A extends Action> {
  /** One line for people, without the sign. */
  describe(action: A): string;
  /** Whether it adds, changes or removes. */
  sign(action: A): Sign;
  /** The actions that take this one back, in order; none when nothing needs to be undone. A removal without is for good. */
  inverse(action: A): readonly A[];
}
