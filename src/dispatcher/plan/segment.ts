/**
 * Every change of the dispatcher has three parts, and several changes are joined part by part: what happens in the kernel
 * and can be taken back, then one commit of the store, then what only clears up. So whenever a run dies, the store holds
 * either all of the change or nothing of it, and the kernel still holds whatever the store then says.
 */
import type { Problem } from "../../core/errors.ts";
import type { Plan } from "../../core/plan.ts";
import type { DispatcherAction, StoreChange } from "../actions.ts";

/** A part of a plan. */
export interface Segment {
  readonly prepare: readonly DispatcherAction[];
  readonly changes: readonly StoreChange[];
  readonly cleanup: readonly DispatcherAction[];
  readonly warnings?: readonly Problem[];
}

/** One plan of several segments. Without a change of the store there is no commit. */
export function assemble(segments: readonly Segment[]): Plan<DispatcherAction> {
  const changes = segments.flatMap((segment) => segment.changes);
  return {
    actions: [
      ...segments.flatMap(({ prepare }) => prepare),
      ...(changes.length > 0 ? [{ kind: "store.commit" as const, changes }] : []),
      ...segments.flatMap(({ cleanup }) => cleanup),
    ],
    warnings: segments.flatMap(({ warnings = [] }) => warnings),
  };
}
