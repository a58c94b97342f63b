/**
 * From what is there to what shall be: the shaper's planner, pure.
 *
 * The order of a plan's actions is make before break:
 *
 * 1. What stands in the way goes: a root of the wrong shape, a class whose id is needed below another parent, a leaf that
 *    has to give way to another kind. On a tree that only sluice touches this is empty but for changes of leaf kind.
 * 2. New and changed objects, parents before children, each class directly before its leaf.
 * 3. The host table and the classifier: from here on packets go to the new places.
 * 4. What nothing points at any more goes, children before parents, each leaf directly before its class.
 *
 * A circuit that moves therefore has its new queue before the first packet is sent there, and its old one until the last
 * has left it.
 */
import { problem, SluiceError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import { type ClassAt, sameClass } from "../core/tc/class.ts";
import { type Handle, handle, major } from "../core/tc/handle.ts";
import { type Qdisc, type QdiscAt, sameQdisc, type SeenQdisc } from "../core/tc/qdisc.ts";
import type { ShaperAction } from "./actions.ts";
import {
  type Desired,
  type DesiredDevice,
  type HostEntry,
  type HostTable,
  type Observed,
  type ObservedDevice,
  NO_STEERING,
  type SavedSteering,
} from "./model.ts";
import { foreign, isOwnRoot, type OwnershipOptions, rootOf, strangersBelow } from "./ownership.ts";

/** How far a plan may go. */
export interface PlanOptions extends OwnershipOptions {
  /** Plan in spite of everything that stands against it: for those who only compare. */
  readonly regardless?: boolean;
}

/** The actions of one device by phase. */
interface Phases {
  readonly clear: ShaperAction[];
  readonly build: ShaperAction[];
  readonly clean: ShaperAction[];
}

/** A wish for a qdisc whose handle the kernel shall choose. */
const AUTO = handle(0);

const isChangeable = (wish: Qdisc, seen: SeenQdisc): seen is Qdisc =>
  wish.kind === seen.kind &&
  seen.kind !== "htb" &&
  !(wish.kind === "fq_codel" && seen.kind === "fq_codel" && (wish.flows ?? 1024) !== (seen.flows ?? 1024));

/** Works out one device. */
class DevicePlanner {
  readonly phases: Phases = { clear: [], build: [], clean: [] };
  readonly #dev: string;
  readonly #desired: DesiredDevice;
  readonly #steering: ObservedDevice["steering"];
  /** What is there and stays, or is changed in place; shrinks as things are found to be in the way. */
  readonly #qdiscs: Map<Handle, QdiscAt<SeenQdisc>>;
  readonly #classes: Map<Handle, ClassAt>;
  readonly #children: Map<Handle, ClassAt[]>;
  readonly #leafAt: Map<Handle, QdiscAt<SeenQdisc>>;

  constructor(desired: DesiredDevice, observed: ObservedDevice, keepRoot: boolean) {
    this.#dev = desired.name;
    this.#desired = desired;
    this.#steering = observed.steering;
    const qdiscs = keepRoot ? observed.qdiscs : [];
    const classes = keepRoot ? observed.classes : [];
    this.#qdiscs = new Map(qdiscs.map((at) => [at.handle, at]));
    this.#leafAt = new Map(qdiscs.map((at) => [at.parent, at]));
    this.#classes = new Map(classes.map((at) => [at.classid, at]));
    this.#children = Map.groupBy(classes, (at) => at.parent);
    const root = rootOf(observed);
    if (root && !keepRoot) this.phases.clear.push({ kind: "qdisc.delete", dev: this.#dev, at: root });
  }

  plan(): Phases {
    const wishes = new Map(this.#desired.classes.map((at) => [at.classid, at]));
    const leaves = new Map(this.#desired.qdiscs.map((at) => [at.parent, at]));
    const frame = this.#desired.qdiscs.filter((at) => at.qdisc.kind === "mq" || at.qdisc.kind === "htb");
    this.#clearTheWay(wishes, leaves);
    if (frame[0]!.qdisc.kind === "mq") this.#stopSteering();
    for (const at of frame) this.#qdisc(at);
    for (const at of this.#desired.classes) {
      this.#class(at);
      const leaf = leaves.get(at.classid);
      if (leaf) this.#qdisc(leaf);
    }
    this.#cleanUp(wishes, frame);
    return this.phases;
  }

  /** Removes what keeps a wish from being made: the same id elsewhere, or children and leaves where they cannot be. */
  #clearTheWay(wishes: ReadonlyMap<Handle, ClassAt>, leaves: ReadonlyMap<Handle, QdiscAt>): void {
    for (const at of this.#classes.values()) {
      const wish = wishes.get(at.classid);
      const strangerInLeaf = !wish && leaves.has(at.parent);
      if (strangerInLeaf || (wish && wish.parent !== at.parent)) this.#removeClass(at, this.phases.clear);
    }
    for (const at of this.#desired.qdiscs) {
      const seen = this.#qdiscs.get(at.handle);
      if (seen && seen.parent !== at.parent) this.#removeQdisc(seen, this.phases.clear);
      const there = this.#leafAt.get(at.parent);
      const fits =
        there &&
        (at.handle === AUTO || there.handle === at.handle) &&
        (sameQdisc(at.qdisc, there.qdisc) || isChangeable(at.qdisc, there.qdisc));
      if (there && !fits) this.#removeQdisc(there, this.phases.clear);
    }
    for (const at of this.#desired.classes) {
      const there = this.#leafAt.get(at.classid);
      if (there && !leaves.has(at.classid)) this.#removeQdisc(there, this.phases.clear);
    }
  }

  /** With an HTB per transmit queue, a packet must take the queue that the classifier chose. */
  #stopSteering(): void {
    for (const [queue, before] of this.#steering) {
      this.phases.build.push({ kind: "steering.set", dev: this.#dev, queue, masks: NO_STEERING, before });
    }
  }

  #qdisc(at: QdiscAt): void {
    const seen = at.handle === AUTO ? this.#leafAt.get(at.parent) : this.#qdiscs.get(at.handle);
    if (!seen) this.phases.build.push({ kind: "qdisc.add", dev: this.#dev, at });
    else if (!sameQdisc(at.qdisc, seen.qdisc)) {
      const own = { ...at, handle: seen.handle };
      this.phases.build.push({ kind: "qdisc.change", dev: this.#dev, at: own, before: seen.qdisc as Qdisc });
    }
  }

  #class(at: ClassAt): void {
    const seen = this.#classes.get(at.classid);
    if (!seen) this.phases.build.push({ kind: "class.add", dev: this.#dev, at });
    else if (!sameClass(at.htb, seen.htb, this.#children.has(at.classid))) {
      this.phases.build.push({ kind: "class.change", dev: this.#dev, at, before: seen.htb });
    }
  }

  /** Removes a class with everything below it, innermost first. */
  #removeClass(at: ClassAt, phase: ShaperAction[]): void {
    if (!this.#classes.has(at.classid)) return;
    for (const child of this.#children.get(at.classid) ?? []) this.#removeClass(child, phase);
    const leaf = this.#leafAt.get(at.classid);
    if (leaf) this.#removeQdisc(leaf, phase);
    this.#classes.delete(at.classid);
    phase.push({ kind: "class.delete", dev: this.#dev, at });
  }

  /** Removes a qdisc; the classes of an HTB first, one by one, so that it can be undone. */
  #removeQdisc(at: QdiscAt<SeenQdisc>, phase: ShaperAction[]): void {
    if (!this.#qdiscs.has(at.handle)) return;
    for (const child of this.#children.get(at.handle) ?? []) this.#removeClass(child, phase);
    this.#qdiscs.delete(at.handle);
    this.#leafAt.delete(at.parent);
    phase.push({ kind: "qdisc.delete", dev: this.#dev, at });
  }

  /**
   * Removes what is left inside our own HTBs and nobody wishes any more. Other qdiscs of the device are not ours. An HTB
   * on a transmit queue that is used no more stays, empty, and lets everything pass: its removal would leave the queue
   * with a noop qdisc (net/sched/sch_mq.c, mq_graft), which drops every packet that takes it.
   */
  #cleanUp(wishes: ReadonlyMap<Handle, ClassAt>, frame: readonly QdiscAt[]): void {
    for (const at of this.#classes.values()) {
      if (!wishes.has(at.classid)) this.#removeClass(at, this.phases.clean);
    }
    const wished = new Set(frame.map((at) => at.handle));
    for (const at of this.#qdiscs.values()) {
      if (at.qdisc.kind !== "htb" || wished.has(at.handle)) continue;
      if (frame[0]!.qdisc.kind === "mq" && major(at.parent) === major(frame[0]!.handle)) continue;
      this.#removeQdisc(at, this.phases.clean);
    }
  }
}

const sameTarget = (a: HostEntry, b: HostEntry): boolean =>
  a.target.download.classid === b.target.download.classid &&
  a.target.download.queue === b.target.download.queue &&
  a.target.upload.classid === b.target.upload.classid &&
  a.target.upload.queue === b.target.upload.queue;

/** Above this many changed rows, and half of the table, a new table is filled and swapped in. */
const SWAP_ABOVE = 1000;

function planHosts(
  desired: HostTable,
  observed: HostTable | undefined,
): { set: ShaperAction[]; remove: ShaperAction[] } {
  const all = [...desired.values()];
  if (!observed) return { set: [{ kind: "hosts.swap", entries: all }], remove: [] };
  const changed = all.filter((entry) => {
    const seen = observed.get(entry.prefix.key);
    return !seen || !sameTarget(entry, seen);
  });
  if (changed.length > Math.max(SWAP_ABOVE, desired.size / 2)) {
    return { set: [{ kind: "hosts.swap", entries: all, before: [...observed.values()] }], remove: [] };
  }
  const gone = [...observed.values()].filter((entry) => !desired.has(entry.prefix.key));
  const before = changed.flatMap((entry) => observed.get(entry.prefix.key) ?? []);
  return {
    set: changed.length > 0 ? [{ kind: "hosts.set", entries: changed, before }] : [],
    remove: gone.length > 0 ? [{ kind: "hosts.delete", entries: gone }] : [],
  };
}

const UNKNOWN_KEYS = ["firstQueue", "queues", "classid"] as const;

function sameClassifier(a: DesiredDevice["classifier"], b: DesiredDevice["classifier"]): boolean {
  return (
    a.side === b.side &&
    a.lanVlan === b.lanVlan &&
    a.internetVlan === b.internetVlan &&
    (["download", "upload"] as const).every((d) => UNKNOWN_KEYS.every((key) => a.unknown[d][key] === b.unknown[d][key]))
  );
}

function keepsRoot(desired: DesiredDevice, observed: ObservedDevice, isOwn: typeof isOwnRoot): boolean {
  const root = rootOf(observed);
  const wish = desired.qdiscs[0]!;
  return !!root && isOwn(root, observed.qdiscs) && root.handle === wish.handle && sameQdisc(wish.qdisc, root.qdisc);
}

/**
 * Plans the way from the observed state to the desired one. The same state gives an empty plan.
 *
 * @throws SluiceError FOREIGN_QDISC, FOREIGN_QUEUE, FOREIGN_INGRESS for what is in the way and not
 * ours, LINK_LEFT for devices that an earlier configuration left, all of them at once
 */
export function planShaper(desired: Desired, observed: Observed, options: PlanOptions = {}): Plan<ShaperAction> {
  const pairs = desired.devices.map((wish) => ({ wish, seen: observed.devices.get(wish.name)! }));
  const problems = [
    ...pairs.flatMap(({ seen }) => foreign(seen, options)),
    ...(observed.elsewhere ?? []).map((device) => problem("LINK_LEFT", { device })),
  ];
  if (problems.length > 0 && !options.regardless) throw new SluiceError(problems);

  const phases = pairs.map(({ wish, seen }) =>
    new DevicePlanner(wish, seen, keepsRoot(wish, seen, options.isOwn ?? isOwnRoot)).plan(),
  );
  const hosts = planHosts(desired.hosts, observed.hosts);
  const classifiers = pairs.flatMap(({ wish, seen }): ShaperAction[] => {
    const { classifier: before } = seen;
    if (before && sameClassifier(wish.classifier, before)) return [];
    return [{ kind: "classifier.attach", dev: wish.name, config: wish.classifier, ...(before && { before }) }];
  });
  return {
    actions: [
      ...phases.flatMap((phase) => phase.clear),
      ...phases.flatMap((phase) => phase.build),
      ...hosts.set,
      ...classifiers,
      ...hosts.remove,
      ...phases.flatMap((phase) => phase.clean),
    ],
    warnings: [],
  };
}

/**
 * Plans the removal of everything that sluice made on these devices: the classifiers, then the roots with all below them
 * in one action each; then the steering that was there before is put back. What others made stays.
 *
 * @throws SluiceError FOREIGN_QUEUE when somebody else's qdisc stands below our mq and would go with it
 */
export function planCleanup(
  observed: Observed,
  saved: SavedSteering = new Map(),
  isOwn: PlanOptions["isOwn"] = isOwnRoot,
): Plan<ShaperAction> {
  const devices = [...observed.devices.values()];
  const problems = devices.flatMap((device) => strangersBelow(device));
  if (problems.length > 0) throw new SluiceError(problems);
  const detach = devices.flatMap((device): ShaperAction[] =>
    device.classifier || device.staleClassifier
      ? [{ kind: "classifier.detach", dev: device.name, ...(device.classifier && { before: device.classifier }) }]
      : [],
  );
  const remove = devices.flatMap((device): ShaperAction[] => {
    const root = rootOf(device);
    return root && isOwn(root, device.qdiscs) ? [{ kind: "qdisc.delete", dev: device.name, at: root }] : [];
  });
  const restore = devices.flatMap(({ name, steering }) =>
    [...(saved.get(name) ?? [])].map(([queue, masks]): ShaperAction => {
      return { kind: "steering.set", dev: name, queue, masks, before: steering.get(queue) ?? NO_STEERING };
    }),
  );
  return { actions: [...detach, ...remove, ...restore], warnings: [] };
}
