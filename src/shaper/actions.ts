/** The shaper's actions: a closed union, how each is described, and what takes it back. */
import type { ActionVocabulary, Sign } from "../core/action.ts";
import type { ClassAt, HtbClass } from "../core/tc/class.ts";
import { formatHandle, TC_ROOT } from "../core/tc/handle.ts";
import type { Qdisc, QdiscAt, SeenQdisc } from "../core/tc/qdisc.ts";
import { classCommand, qdiscCommand } from "../core/tc/text.ts";
import type { ClassifierConfig, HostEntry, Steering } from "./model.ts";

/** An action that came out of somebody's tc line keeps its very words for whoever prints or runs it as text. */
interface Worded {
  readonly line?: string;
}

/** Everything the shaper does to a kernel. Changes and removals carry what was there, so that they can be undone. */
export type ShaperAction =
  | ({
      readonly kind: "qdisc.add";
      readonly dev: string;
      readonly at: QdiscAt;
      /** The kernel removes it again when its class gets a child later in the same plan. */
      readonly transient?: boolean;
    } & Worded)
  | { readonly kind: "qdisc.change"; readonly dev: string; readonly at: QdiscAt; readonly before: Qdisc }
  | { readonly kind: "qdisc.delete"; readonly dev: string; readonly at: QdiscAt<SeenQdisc> }
  | ({ readonly kind: "class.add"; readonly dev: string; readonly at: ClassAt } & Worded)
  | { readonly kind: "class.change"; readonly dev: string; readonly at: ClassAt; readonly before: HtbClass }
  | { readonly kind: "class.delete"; readonly dev: string; readonly at: ClassAt }
  /** Sets the packet steering of a transmit queue (from 0). */
  | {
      readonly kind: "steering.set";
      readonly dev: string;
      readonly queue: number;
      readonly masks: Steering;
      readonly before: Steering;
    }
  /** Attaches the classifier (and clsact, when the device has none) or replaces the one that is there, atomically. */
  | {
      readonly kind: "classifier.attach";
      readonly dev: string;
      readonly config: ClassifierConfig;
      readonly before?: ClassifierConfig;
    }
  | { readonly kind: "classifier.detach"; readonly dev: string; readonly before?: ClassifierConfig }
  /** Adds or overwrites rows of the host table that is in use; `before` holds those that were overwritten. */
  | { readonly kind: "hosts.set"; readonly entries: readonly HostEntry[]; readonly before: readonly HostEntry[] }
  | { readonly kind: "hosts.delete"; readonly entries: readonly HostEntry[] }
  /** Fills a new table and puts it in the place of the one in use, in one step. */
  | { readonly kind: "hosts.swap"; readonly entries: readonly HostEntry[]; readonly before?: readonly HostEntry[] };

const SIGNS: Readonly<Record<ShaperAction["kind"], Sign>> = {
  "qdisc.add": "+",
  "qdisc.change": "~",
  "qdisc.delete": "-",
  "class.add": "+",
  "class.change": "~",
  "class.delete": "-",
  "steering.set": "~",
  "classifier.attach": "+",
  "classifier.detach": "-",
  "hosts.set": "+",
  "hosts.delete": "-",
  "hosts.swap": "~",
};

function signOf(action: ShaperAction): Sign {
  if (action.kind === "classifier.attach" && action.before) return "~";
  if (action.kind === "hosts.set" && action.before.length > 0) return "~";
  if (action.kind === "hosts.swap" && !action.before) return "+";
  return SIGNS[action.kind];
}

function hostsText(entries: readonly HostEntry[]): string {
  const shown = entries.slice(0, 3).map(({ prefix, target }) => {
    return `${prefix.key} -> ${formatHandle(target.download.classid)} / ${formatHandle(target.upload.classid)}`;
  });
  const more = entries.length > shown.length ? ` and ${entries.length - shown.length} more` : "";
  return `${shown.join(", ")}${more}`;
}

/** The `tc` line of an action, without `tc`; undefined when it is none that tc could do. */
export function tcLine(action: ShaperAction): string | undefined {
  switch (action.kind) {
    case "qdisc.add":
      return action.line ?? qdiscCommand("add", action.dev, action.at);
    case "qdisc.change":
      return qdiscCommand("change", action.dev, action.at);
    case "qdisc.delete":
      return qdiscCommand("del", action.dev, action.at);
    case "class.add":
      return action.line ?? classCommand("add", action.dev, action.at);
    case "class.change":
      return classCommand("change", action.dev, action.at);
    case "class.delete":
      return classCommand("del", action.dev, action.at);
    case "steering.set":
    case "classifier.attach":
    case "classifier.detach":
    case "hosts.set":
    case "hosts.delete":
    case "hosts.swap":
      return undefined;
  }
}

function describe(action: ShaperAction): string {
  const line = tcLine(action);
  if (line !== undefined) return line;
  switch (action.kind) {
    case "steering.set": {
      const { dev, queue, before, masks } = action;
      return `steering dev ${dev} tx-${queue} cpus ${before.cpus} -> ${masks.cpus} rxqs ${before.rxqs} -> ${masks.rxqs}`;
    }
    case "classifier.attach":
      return `classifier dev ${action.dev} egress (${action.config.side})`;
    case "classifier.detach":
      return `classifier dev ${action.dev} egress`;
    case "hosts.swap":
      return `hosts table of ${action.entries.length}: ${hostsText(action.entries)}`;
    case "hosts.set":
    case "hosts.delete":
      return `hosts ${hostsText(action.entries)}`;
    default:
      return action.kind;
  }
}

/**
 * A foreign root that was replaced and our own root's removal are not taken back: the kernel puts its default there. Nor
 * is an HTB on a transmit queue, whose removal would leave a noop qdisc there that drops all packets; empty, it lets them
 * pass, and it goes with its root.
 */
function inverse(action: ShaperAction): ShaperAction | readonly ShaperAction[] | undefined {
  switch (action.kind) {
    case "qdisc.add":
      if (action.transient || (action.at.qdisc.kind === "htb" && action.at.parent !== TC_ROOT)) return undefined;
      return { kind: "qdisc.delete", dev: action.dev, at: action.at };
    case "qdisc.change":
      return { ...action, at: { ...action.at, qdisc: action.before }, before: action.at.qdisc };
    case "qdisc.delete": {
      const { qdisc } = action.at;
      if (qdisc.kind === "other" || action.at.parent === TC_ROOT) return undefined;
      return { kind: "qdisc.add", dev: action.dev, at: { ...action.at, qdisc } };
    }
    case "class.add":
      return { kind: "class.delete", dev: action.dev, at: action.at };
    case "class.change":
      return { ...action, at: { ...action.at, htb: action.before }, before: action.at.htb };
    case "class.delete":
      return { kind: "class.add", dev: action.dev, at: action.at };
    case "steering.set":
      return { ...action, masks: action.before, before: action.masks };
    case "classifier.attach": {
      const { dev, config, before } = action;
      if (before) return { kind: "classifier.attach", dev, config: before, before: config };
      return { kind: "classifier.detach", dev, before: config };
    }
    case "classifier.detach":
      return action.before && { kind: "classifier.attach", dev: action.dev, config: action.before };
    case "hosts.set": {
      const known = new Set(action.before.map(({ prefix }) => prefix.key));
      const fresh = action.entries.filter(({ prefix }) => !known.has(prefix.key));
      return [
        ...(fresh.length > 0 ? [{ kind: "hosts.delete" as const, entries: fresh }] : []),
        ...(action.before.length > 0 ? [{ kind: "hosts.set" as const, entries: action.before, before: [] }] : []),
      ];
    }
    case "hosts.delete":
      return { kind: "hosts.set", entries: action.entries, before: [] };
    case "hosts.swap":
      return { kind: "hosts.swap", entries: action.before ?? [], before: action.entries };
  }
}

/** How the shaper's actions are described and undone. */
export const SHAPER_ACTIONS: ActionVocabulary<ShaperAction> = {
  describe,
  sign: signOf,
  inverse: (action) => [inverse(action) ?? []].flat(),
};

/** An action for machines: what it is, where, and its line. */
export function actionJson(action: ShaperAction): {
  readonly sign: Sign;
  readonly kind: ShaperAction["kind"];
  readonly dev?: string;
  readonly text: string;
} {
  const dev = "dev" in action ? { dev: action.dev } : {};
  return { sign: signOf(action), kind: action.kind, ...dev, text: describe(action) };
}
