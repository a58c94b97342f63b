/**
 * LibreQoS's tree through the shared fetch, plan and apply. On devices without a tree the plan is LibreQoS's batch, line by
 * line and in its order; on devices that have one already it is the difference, which LibreQoS does not know: it tears
 * everything down and builds it again.
 */
import type { Plan } from "../../core/plan.ts";
import { type ClassAt, sameClass } from "../../core/tc/class.ts";
import { type Handle, handle, major, TC_ROOT } from "../../core/tc/handle.ts";
import type { QdiscAt, SeenQdisc } from "../../core/tc/qdisc.ts";
import type { ShaperAction } from "../actions.ts";
import type { Desired, Observed } from "../model.ts";
import { MQ_NUMBER } from "../numbers.ts";
import { type PlanOptions, planShaper } from "../plan.ts";
import { type LibreqosCommand, objectOf } from "./kernel.ts";

/** Whether LibreQoS (or sluice) made this root: its handle, and nothing but HTBs with LibreQoS's default class below. */
export function isLibreqosRoot(root: QdiscAt<SeenQdisc>, qdiscs: readonly QdiscAt<SeenQdisc>[]): boolean {
  if (root.qdisc.kind !== "mq" || root.handle !== handle(MQ_NUMBER)) return false;
  return qdiscs.every((at) => major(at.parent) !== MQ_NUMBER || (at.qdisc.kind === "htb" && at.qdisc.default === 2));
}

/** The classes to reach by device: where a live rate holds they are others than LibreQoS's lines say. */
type Wishes = ReadonlyMap<string, ReadonlyMap<Handle, ClassAt>>;

/** A line as an action that remembers its words; none for a line that tc refuses anyway. */
function actionOf(command: LibreqosCommand, wishes: Wishes): ShaperAction[] {
  const object = objectOf(command);
  if (!object) return [];
  const { line, dev, fate } = command;
  if (object.kind === "class") {
    const wish = wishes.get(dev)?.get(object.at.classid);
    if (wish && !sameClass(wish.htb, object.at.htb)) return [{ kind: "class.add", dev, at: wish }];
    return [{ kind: "class.add", dev, at: object.at, line }];
  }
  return [{ kind: "qdisc.add", dev, at: object.at, line, ...(fate === "transient" && { transient: true }) }];
}

/**
 * Plans the way to LibreQoS's tree.
 *
 * @throws SluiceError FOREIGN_QDISC
 */
export function planLibreqos(
  commands: readonly LibreqosCommand[],
  desired: Desired,
  observed: Observed,
  options: PlanOptions,
): Plan<ShaperAction> {
  const plan = planShaper(desired, observed, { ...options, isOwn: isLibreqosRoot });
  const isBare = [...observed.devices.values()].every(({ qdiscs }) => qdiscs.every((at) => at.parent !== TC_ROOT));
  if (!isBare) return plan;
  const rest = plan.actions.filter(({ kind }) => kind !== "qdisc.add" && kind !== "class.add");
  const wishes = new Map(
    desired.devices.map(({ name, classes }) => [name, new Map(classes.map((at) => [at.classid, at]))]),
  );
  return { ...plan, actions: [...commands.flatMap((command) => actionOf(command, wishes)), ...rest] };
}
