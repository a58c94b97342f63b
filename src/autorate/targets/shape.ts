/** What can be set to a rate, as the kernel shows it: a CAKE, a TBF, a class of an HTB. Pure. */
import { type ClassAt, sameClass } from "../../core/tc/class.ts";
import { formatHandle, minor } from "../../core/tc/handle.ts";
import { type Cake, type QdiscAt, sameQdisc, type Tbf } from "../../core/tc/qdisc.ts";
import { type BitsPerSecond, bitsPerSecond, wholeBytesRate } from "../../core/units.ts";

/** It, with its place on its device. */
export type Shape =
  | { readonly kind: "qdisc"; readonly at: QdiscAt<Cake | Tbf> }
  | { readonly kind: "class"; readonly at: ClassAt };

/** Whether a class hangs on the HTB itself: then nobody lends to it, and it never sends more than its own rate. */
export const isTop = (at: ClassAt): boolean => minor(at.parent) === 0;

/** What it lets through; undefined: everything. */
export function rateOf({ kind, at }: Shape): BitsPerSecond | undefined {
  if (kind === "class") return isTop(at) ? bitsPerSecond(Math.min(at.htb.rate, at.htb.ceil)) : at.htb.ceil;
  if (at.qdisc.kind === "tbf") return at.qdisc.rate;
  return at.qdisc.bandwidth === 0 ? undefined : at.qdisc.bandwidth;
}

/** Whether both stand for the same thing set to the same: of a CAKE its rate counts, for nothing else of it is ever set. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.kind === "class") {
    return b.kind === "class" && a.at.classid === b.at.classid && sameClass(a.at.htb, b.at.htb, true);
  }
  if (b.kind === "class" || a.at.handle !== b.at.handle) return false;
  const [one, other] = [a.at.qdisc, b.at.qdisc];
  if (one.kind === "tbf") return sameQdisc(one, other);
  return other.kind === "cake" && wholeBytesRate(one.bandwidth ?? NONE) === wholeBytesRate(other.bandwidth ?? NONE);
}

const NONE = bitsPerSecond(0);

/** For people: `cake 8001:`, `class 1:10`. */
export const nameOf = (shape: Shape): string =>
  shape.kind === "class"
    ? `class ${formatHandle(shape.at.classid)}`
    : `${shape.at.qdisc.kind} ${formatHandle(shape.at.handle)}`;
