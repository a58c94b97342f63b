/** The budget of kernel memory for leaves: a CAKE takes a megabyte, and a machine without it stops forwarding. */
import { type Problem, problem } from "../core/errors.ts";
import { type Bytes, humanBytes } from "../core/units.ts";
import type { ShaperAction } from "./actions.ts";
import { LEAF_MEMORY } from "./leaf.ts";
import type { LeafKind } from "./model.ts";

/** The error when the leaves that a plan adds need more memory than there is; leaves it removes do not count. */
export function checkMemory(actions: readonly ShaperAction[], available: Bytes): Problem[] {
  const added = new Map<LeafKind, number>();
  for (const action of actions) {
    if (action.kind !== "qdisc.add") continue;
    const { kind } = action.at.qdisc;
    if (kind in LEAF_MEMORY) added.set(kind as LeafKind, (added.get(kind as LeafKind) ?? 0) + 1);
  }
  const needed = [...added].reduce((sum, [kind, count]) => sum + count * LEAF_MEMORY[kind], 0);
  if (needed <= available) return [];
  const detail = [...added].map(([kind, count]) => `${count} x ${kind} at ${LEAF_MEMORY[kind] / 1024} KiB`).join(", ");
  return [problem("SHAPER_MEMORY", { needed: humanBytes(needed), detail, available: humanBytes(available) })];
}
