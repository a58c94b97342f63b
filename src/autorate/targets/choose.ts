/** Which of a device's qdiscs or classes is meant, pure. What is not meant is never touched. */
import type { ClassAt } from "../../core/tc/class.ts";
import { formatHandle, minor, TC_ROOT } from "../../core/tc/handle.ts";
import type { Cake, Htb, QdiscAt, SeenQdisc, Tbf } from "../../core/tc/qdisc.ts";
import type { Shape } from "./shape.ts";

/** The one, or the HTB whose classes have to be looked at, or why there is none, as half a sentence about the device. */
export type Choice =
  | Extract<Shape, { kind: "qdisc" }>
  | { readonly kind: "htb"; readonly at: QdiscAt<Htb> }
  | { readonly kind: "none"; readonly reason: string };

type Seen = QdiscAt<SeenQdisc>;

const isCake = (at: Seen): at is QdiscAt<Cake> => at.qdisc.kind === "cake";
const isTbf = (at: Seen): at is QdiscAt<Tbf> => at.qdisc.kind === "tbf";
const isRoot = (at: Seen): boolean => at.parent === TC_ROOT;
/** What the kernel gave by itself has no handle, and cannot be changed. */
const isMade = (at: Seen): boolean => at.handle !== 0;
const nameOf = ({ qdisc, handle }: Seen): string =>
  `${qdisc.kind === "other" ? qdisc.name : qdisc.kind} ${formatHandle(handle)}`;

const none = (reason: string): Choice => ({ kind: "none", reason });
/** Handles that a message names at most. */
const SHOWN = 4;

function missing(what: string, all: readonly Seen[]): Choice {
  if (what === "CAKE" && all.some((at) => isCake(at) && !isMade(at)))
    return none("its CAKE is the kernel's own, which cannot be changed: make one with tc qdisc replace");
  const root = all.find((at) => isRoot(at) && isMade(at));
  return none(root ? `it has ${nameOf(root)} at its root, and no ${what}` : `it has no ${what}`);
}

/** The only one of some. */
function only(what: string, some: readonly QdiscAt<Cake | Tbf>[], all: readonly Seen[]): Choice {
  const [first, ...others] = some;
  if (!first) return missing(what, all);
  if (others.length === 0) return { kind: "qdisc", at: first };
  const names = some.slice(0, SHOWN).map((at) => formatHandle(at.handle));
  const more = some.length > SHOWN ? ` and ${some.length - SHOWN} more` : "";
  return none(`it has ${some.length} ${what}s (${names.join(", ")}${more}), and which one is meant cannot be told`);
}

/** Those that limit, when any does: one without a limit below something that has one shapes nothing. */
function limitingOf(cakes: readonly QdiscAt<Cake>[]): readonly QdiscAt<Cake>[] {
  const limiting = cakes.filter(({ qdisc }) => (qdisc.bandwidth ?? 0) > 0);
  return limiting.length > 0 ? limiting : cakes;
}

/** Whatever shapes: a CAKE that limits, else what stands at the root, else the only CAKE. */
function chooseAny(cakes: readonly QdiscAt<Cake>[], all: readonly Seen[]): Choice {
  const candidates = limitingOf(cakes);
  const root = all.find((at) => isRoot(at) && isMade(at));
  if (root && !candidates.some(({ qdisc }) => qdisc.bandwidth)) {
    if (isCake(root) || isTbf(root)) return { kind: "qdisc", at: root };
    if (root.qdisc.kind === "htb") return { kind: "htb", at: root as QdiscAt<Htb> };
  }
  return candidates.length > 0 ? only("CAKE", candidates, all) : missing("CAKE, TBF or HTB", all);
}

/**
 * Chooses. `cake` and `tbf` may hang anywhere, the one at the root first; of several CAKEs those with a bandwidth count.
 */
export function chooseQdisc(kind: "auto" | "cake" | "tbf", qdiscs: readonly Seen[]): Choice {
  const made = qdiscs.filter((at) => isMade(at));
  const cakes = made.filter((at) => isCake(at));
  if (kind === "auto") return chooseAny(cakes, qdiscs);
  if (kind === "cake") return only("CAKE", limitingOf(cakes), qdiscs);
  const tbfs = made.filter((at) => isTbf(at));
  return only("TBF", tbfs.some((at) => isRoot(at)) ? tbfs.filter((at) => isRoot(at)) : tbfs, qdiscs);
}

/** The one class below an HTB, or why there is none. */
export function chooseClass({ handle }: QdiscAt<Htb>, classes: readonly ClassAt[]): ClassAt | string {
  const top = classes.filter(({ parent }) => minor(parent) === 0);
  const [first, ...others] = top;
  if (!first) return `its HTB ${formatHandle(handle)} has no class`;
  if (others.length === 0) return first;
  const names = top.slice(0, SHOWN).map(({ classid }) => formatHandle(classid));
  return `its HTB ${formatHandle(handle)} has ${top.length} classes (${names.join(", ")}${
    top.length > SHOWN ? ", ..." : ""
  }): name the one that is meant`;
}
