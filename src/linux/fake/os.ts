/**
 * A fake kernel, as far as traffic control goes: it does what rtnetlink would do with the same typed objects, refuses
 * what it would refuse (measured on Linux 6.18), and prints its state as `tc` text. Planners are tested against it, and
 * what it allows, the kernel must allow too.
 */
import { type ClassAt, type HtbClass, sameClass } from "../../core/tc/class.ts";
import { formatHandle, type Handle, handle, major, minor, TC_CLSACT, TC_ROOT } from "../../core/tc/handle.ts";
import { type QdiscAt, type SeenQdisc, withDefaults } from "../../core/tc/qdisc.ts";
import { classCommand, qdiscCommand } from "../../core/tc/text.ts";
import { stated } from "../../core/tc/verb.ts";

/** What the fake kernel refuses with: an errno name and the kernel's own words where it has some. */
class FakeRefusal extends Error {
  override readonly name = "FakeRefusal";
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

const refuse = (code: string, message: string): never => {
  throw new FakeRefusal(code, message);
};

/** HTB allows a class below a grandparent of level 2 or more: eight levels in all. */
const HTB_LEVELS = 8;

/** A device of the fake kernel. */
export class FakeDevice {
  readonly name: string;
  readonly txQueues: number;
  readonly #qdiscs = new Map<Handle, QdiscAt<SeenQdisc>>();
  readonly #classes = new Map<Handle, ClassAt>();

  constructor(name: string, txQueues: number) {
    this.name = name;
    this.txQueues = txQueues;
  }

  get qdiscs(): QdiscAt<SeenQdisc>[] {
    return [...this.#qdiscs.values()];
  }

  get classes(): ClassAt[] {
    return [...this.#classes.values()];
  }

  /** RTM_NEWQDISC with CREATE and EXCL. */
  addQdisc(at: QdiscAt<SeenQdisc>): void {
    const there = this.#at(at.parent);
    if (this.#qdiscs.has(at.handle)) refuse("EINVAL", "Cannot move an existing qdisc to a different parent");
    if (there) refuse("EEXIST", "Exclusivity flag on, cannot modify");
    this.#requirePlace(at.parent);
    const { qdisc } = at;
    if (qdisc.kind === "mq" && at.parent !== TC_ROOT) refuse("EOPNOTSUPP", "mq can only be the root");
    if (qdisc.kind === "mq" && this.txQueues < 2) refuse("EOPNOTSUPP", "the device has one queue");
    this.#qdiscs.set(at.handle, qdisc.kind === "other" ? at : { ...at, qdisc: withDefaults(qdisc) });
  }

  /** RTM_NEWQDISC without CREATE: options left out keep their values. */
  changeQdisc(at: QdiscAt): void {
    const there = this.#qdiscs.get(at.handle) ?? refuse("ENOENT", "Specified qdisc not found");
    if (there.qdisc.kind !== at.qdisc.kind) refuse("EINVAL", "Invalid qdisc name: must match existing qdisc");
    if (at.qdisc.kind === "htb" || at.qdisc.kind === "mq")
      refuse("EOPNOTSUPP", "Change operation not supported by specified qdisc");
    this.#qdiscs.set(there.handle, { ...there, qdisc: { ...there.qdisc, ...stated("change", at.qdisc) } });
  }

  /** RTM_DELQDISC: everything below goes with it. */
  deleteQdisc(at: QdiscAt<SeenQdisc>): void {
    const there = this.#at(at.parent) ?? refuse("ENOENT", "Cannot find specified qdisc on specified device");
    if (there.handle !== at.handle) refuse("EINVAL", "Invalid handle");
    this.#drop(there);
  }

  /** RTM_NEWTCLASS with CREATE and EXCL, HTB only. A leaf qdisc on the parent is destroyed, as the kernel does. */
  addClass(at: ClassAt): void {
    this.#requireHtb(at.classid);
    if (this.#classes.has(at.classid)) refuse("EEXIST", "class exists");
    if (minor(at.parent) !== 0 && !this.#classes.has(at.parent)) refuse("ENOENT", "Failed to find parent class");
    if (major(at.parent) !== major(at.classid)) refuse("EINVAL", "parent in another qdisc");
    if (this.#depth(at.parent) >= HTB_LEVELS) refuse("EINVAL", "tree is too deep");
    if (at.htb.rate < 8 || at.htb.ceil < 8) refuse("EINVAL", "rate of 0");
    const leaf = this.#at(at.parent);
    if (leaf && minor(at.parent) !== 0) this.#drop(leaf);
    this.#classes.set(at.classid, at);
  }

  /** RTM_NEWTCLASS without CREATE: another parent, and quantum and prio of an inner class, are silently not taken. */
  changeClass(at: { readonly classid: Handle; readonly htb: HtbClass }): void {
    const there = this.#classes.get(at.classid) ?? refuse("ENOENT", "Specified class not found");
    const inner = this.classes.some((child) => child.parent === at.classid);
    const { quantum, prio } = inner ? there.htb : at.htb;
    this.#classes.set(there.classid, { ...there, htb: { ...at.htb, quantum, prio } });
  }

  /** RTM_DELTCLASS: its leaf goes with it; with children it is busy. */
  deleteClass(at: { readonly classid: Handle }): void {
    const there = this.#classes.get(at.classid) ?? refuse("ENOENT", "Specified class not found");
    if (this.classes.some((other) => other.parent === there.classid)) refuse("EBUSY", "HTB class in use");
    const leaf = this.#at(there.classid);
    if (leaf) this.#drop(leaf);
    this.#classes.delete(there.classid);
  }

  /** The state as the `tc` commands that would make it, in an order that works. */
  print(): string[] {
    const lines: string[] = [];
    const show = (at: QdiscAt<SeenQdisc>): void => {
      lines.push(qdiscCommand("add", this.name, at));
      for (const child of this.qdiscs.filter((q) => at.qdisc.kind === "mq" && major(q.parent) === major(at.handle)))
        show(child);
      for (const child of this.classes.filter((c) => c.parent === at.handle)) showClass(child);
    };
    const showClass = (at: ClassAt): void => {
      lines.push(classCommand("add", this.name, at));
      const leaf = this.#at(at.classid);
      if (leaf) show(leaf);
      for (const child of this.classes.filter((c) => c.parent === at.classid)) showClass(child);
    };
    for (const at of this.qdiscs.filter((q) => q.parent === TC_ROOT || q.parent === TC_CLSACT)) show(at);
    return lines;
  }

  #at(parent: Handle): QdiscAt<SeenQdisc> | undefined {
    for (const at of this.#qdiscs.values()) if (at.parent === parent) return at;
    return undefined;
  }

  #requirePlace(parent: Handle): void {
    if (parent === TC_ROOT || parent === TC_CLSACT) return;
    const owner = this.#qdiscs.get(handle(major(parent))) ?? refuse("ENOENT", "Failed to find specified qdisc");
    if (owner.qdisc.kind === "mq") {
      if (minor(parent) < 1 || minor(parent) > this.txQueues) refuse("ENOENT", "no such transmit queue");
      return;
    }
    if (!this.#classes.has(parent)) refuse("ENOENT", `Specified class not found: ${formatHandle(parent)}`);
    if (this.classes.some((child) => child.parent === parent)) refuse("EINVAL", "a leaf on an inner class");
  }

  #requireHtb(classid: Handle): void {
    const owner = this.#qdiscs.get(handle(major(classid)));
    if (owner?.qdisc.kind !== "htb") refuse("ENOENT", `no HTB ${formatHandle(handle(major(classid)))}`);
  }

  /** How many classes stand from this one up to the HTB. */
  #depth(classid: Handle): number {
    let depth = 0;
    for (let at = this.#classes.get(classid); at; at = this.#classes.get(at.parent)) depth += 1;
    return depth;
  }

  #drop(at: QdiscAt<SeenQdisc>): void {
    this.#qdiscs.delete(at.handle);
    for (const child of this.qdiscs)
      if (major(child.parent) === major(at.handle) && child.parent !== TC_CLSACT) this.#drop(child);
    for (const child of this.classes)
      if (major(child.classid) === major(at.handle)) this.#classes.delete(child.classid);
  }
}

/** Whether two devices hold the same objects. */
export function sameState(a: FakeDevice, b: FakeDevice): boolean {
  const classes = new Map(b.classes.map((at) => [at.classid, at]));
  return (
    a.print().length === b.print().length &&
    a.classes.every((at) => {
      const other = classes.get(at.classid);
      return other?.parent === at.parent && sameClass(at.htb, other.htb);
    }) &&
    a.print().toSorted().join("\n") === b.print().toSorted().join("\n")
  );
}
