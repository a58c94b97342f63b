/** Trees to build: one direction's actions, from nothing, and the same under the handles that everybody else uses. */
import { type Handle, handle, major, minor, TC_ROOT } from "../../src/core/tc/handle.ts";
import { bitsPerSecond, bytes } from "../../src/core/units.ts";
import type { ShaperAction } from "../../src/shaper/actions.ts";
import { buildShaper } from "../../src/shaper/build.ts";
import type { Facts, Observed, ObservedDevice } from "../../src/shaper/model.ts";
import { htbMajor, MQ_NUMBER } from "../../src/shaper/numbers.ts";
import { planShaper } from "../../src/shaper/plan.ts";
import { PRIO } from "../../src/shaper/rates.ts";
import { DEVICE } from "./device.ts";
import { CONFIG, ispOf, ispTexts } from "./isp.ts";

/** What is done to qdiscs and classes: all that tc can do too. */
export type TcAction = Extract<ShaperAction, { kind: `qdisc.${string}` | `class.${string}` }>;

/** Those that are about the measured device's qdiscs and classes. */
export const tcActions = (actions: readonly ShaperAction[]): TcAction[] =>
  actions.filter(
    (action): action is TcAction => /^(qdisc|class)\./.test(action.kind) && "dev" in action && action.dev === DEVICE,
  );

/** What is there before anything was built, and what a machine offers whose devices have so many queues. */
function blankMachine(queues: number): { facts: Facts; observed: Observed } {
  const names = ["lan0", "wan0"];
  const device = (name: string, index: number): ObservedDevice => {
    return { name, ifindex: index + 1, qdiscs: [], classes: [], steering: new Map() };
  };
  return {
    facts: {
      devices: new Map(names.map((name) => [name, { txQueues: queues, mtu: 1500 }])),
      leafKinds: new Set(["bfifo"]),
      memory: bytes(2 ** 40),
    },
    observed: {
      devices: new Map(names.map((name, index) => [name, device(name, index)])),
    },
  };
}

/** All that applying an ISP of so many circuits does to a blank machine. */
export function allActions(circuits: number, queues: number): readonly ShaperAction[] {
  const { facts, observed } = blankMachine(queues);
  const isp = ispOf(ispTexts(circuits));
  const { desired } = buildShaper({ isp, config: CONFIG, facts, prior: new Map(), observed });
  return planShaper(desired, observed).actions;
}

/** The part of it that builds one direction's tree. */
export const treeActions = (circuits: number, queues: number): TcAction[] => tcActions(allActions(circuits, queues));

/** Where the leaves of default classes go when the HTBs take their handles. */
const ASIDE = 0x100;

/** The same tree with the HTBs' handles counted 1:, 2:, 3: ..., all else as it was. */
export function countedFromOne(actions: readonly TcAction[], queues: number): TcAction[] {
  const counted = new Map(Array.from({ length: queues }, (_, queue) => [htbMajor(queue), queue + 1]));
  const move = (old: Handle): Handle => {
    const number = major(old);
    if (number === MQ_NUMBER || number >= 0x400 || old === TC_ROOT) return old;
    return handle(counted.get(number) ?? number + ASIDE, minor(old));
  };
  return actions.map((action): TcAction => {
    const { at } = action;
    if ("classid" in at) {
      return { ...action, at: { ...at, classid: move(at.classid), parent: move(at.parent) } } as TcAction;
    }
    return { ...action, at: { ...at, handle: move(at.handle), parent: move(at.parent) } } as TcAction;
  });
}

/** Changes that double the ceiling of so many circuits' classes, spread evenly over the tree. */
export function classChanges(actions: readonly TcAction[], count: number): TcAction[] {
  const withLeaf = new Set(
    actions.flatMap(({ at }) => ("qdisc" in at && at.qdisc.kind === "bfifo" ? [at.parent] : [])),
  );
  const circuits = actions.flatMap((action) =>
    action.kind === "class.add" && action.at.htb.prio === PRIO.circuit && withLeaf.has(action.at.classid)
      ? [action]
      : [],
  );
  const every = Math.floor(circuits.length / count);
  return circuits
    .filter((_, index) => index % every === 0)
    .slice(0, count)
    .map(({ dev, at }) => {
      const ceil = bitsPerSecond(at.htb.ceil * 2);
      return { kind: "class.change", dev, at: { ...at, htb: { ...at.htb, ceil } }, before: at.htb };
    });
}
