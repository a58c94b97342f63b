/**
 * Whose is it? What sluice made carries its mark in the kernel, and what does not is somebody else's: a plan names it,
 * with what to do about it, instead of touching it.
 */
import { type Problem, problem } from "../core/errors.ts";
import { formatHandle, handle, major, TC_ROOT } from "../core/tc/handle.ts";
import type { QdiscAt, SeenQdisc } from "../core/tc/qdisc.ts";
import type { ObservedDevice } from "./model.ts";
import { HTB_MARK, MQ_NUMBER } from "./numbers.ts";

/** What counts as ours, and what may be replaced all the same. */
export interface OwnershipOptions {
  /** Replace a root qdisc that sluice did not make. */
  readonly replaceForeign?: boolean;
  /** Whether a root is ours; by sluice's mark when left out. */
  readonly isOwn?: (root: QdiscAt<SeenQdisc>, qdiscs: readonly QdiscAt<SeenQdisc>[]) => boolean;
}

const isMarked = (qdisc: SeenQdisc): boolean => qdisc.kind === "htb" && qdisc.r2q === HTB_MARK;

/**
 * Whether sluice made the root: an HTB that carries its mark, or an mq with its handle under which nobody else's qdisc
 * stands (a run that died right after making it left it empty).
 */
export function isOwnRoot(root: QdiscAt<SeenQdisc>, qdiscs: readonly QdiscAt<SeenQdisc>[]): boolean {
  if (root.qdisc.kind !== "mq") return isMarked(root.qdisc);
  if (root.handle !== handle(MQ_NUMBER)) return false;
  return qdiscs.every((at) => major(at.parent) !== MQ_NUMBER || isMarked(at.qdisc));
}

/** The root qdisc of a device, unless it is the kernel's default. */
export const rootOf = (device: ObservedDevice): QdiscAt<SeenQdisc> | undefined =>
  device.qdiscs.find((at) => at.parent === TC_ROOT);

const nameOf = ({ qdisc, handle: own }: QdiscAt<SeenQdisc>): string =>
  `${qdisc.kind === "other" ? qdisc.name : qdisc.kind} ${formatHandle(own)}`;

/** Qdiscs that somebody else put on transmit queues of our mq, beside HTBs of ours. */
export function strangersBelow(device: ObservedDevice): Problem[] {
  const root = rootOf(device);
  if (root?.qdisc.kind !== "mq" || root.handle !== handle(MQ_NUMBER)) return [];
  const [ours = [], others = []] = [true, false].map((own) =>
    device.qdiscs.filter((at) => major(at.parent) === MQ_NUMBER && isMarked(at.qdisc) === own),
  );
  if (ours.length === 0) return [];
  return others.map((at) =>
    problem("FOREIGN_QUEUE", { device: device.name, qdisc: nameOf(at), parent: formatHandle(at.parent) }),
  );
}

/** What keeps a plan from being made on a device: other people's things. */
export function foreign(device: ObservedDevice, options: OwnershipOptions): Problem[] {
  const problems: Problem[] = [];
  const root = rootOf(device);
  const isOwn = options.isOwn ?? isOwnRoot;
  if (root && !options.replaceForeign && !isOwn(root, device.qdiscs)) {
    const strangers = strangersBelow(device);
    if (strangers.length > 0) problems.push(...strangers);
    else problems.push(problem("FOREIGN_QDISC", { device: device.name, qdisc: nameOf(root) }));
  }
  if (device.qdiscs.some((at) => at.qdisc.kind === "ingress")) {
    problems.push(problem("FOREIGN_INGRESS", { device: device.name, qdisc: "ingress" }));
  }
  return problems;
}
