/** The dispatcher's actions: a closed union, how each is described, and what takes it back. */
import type { ActionVocabulary, Sign } from "../core/action.ts";
import { type Bound, showBound } from "../core/binding.ts";
import { FILTER_PRIORITY } from "./model.ts";
import type {
  DispatcherKey,
  PlannedAttachment,
  PlannedDispatcher,
  EngineName,
  LinkDetails,
  LinkRecord,
  MemberDetails,
  ProgramRecord,
  ProgramType,
} from "./model.ts";

/** Where an action happens: the interface by number for the kernel, by name for people, and the way into its namespace. */
export interface Place {
  readonly key: DispatcherKey;
  readonly device: string;
  readonly netns?: string;
}

/** A member as a revision is built from it. */
export interface BuildMember {
  readonly linkId: number;
  readonly programId: Bound<number>;
  readonly name: string;
  readonly priority: number;
  /** Of verdicts to proceed on. */
  readonly mask: number;
  readonly frags: boolean;
}

/** A program to be loaded from an object. */
export interface LoadItem {
  readonly name: string;
  readonly type: ProgramType;
  readonly attachFunction?: string;
  /** Under which the kernel's id is bound. */
  readonly binds: string;
}

/** A program's row before the kernel has given it an id. */
export type NewProgram = Omit<ProgramRecord, "id" | "mapSet" | "gplCompatible"> & {
  readonly id: Bound<number>;
  readonly mapSet: Bound<number>;
};

/** A link's row before the kernel has given it an id. */
export type NewLink<D extends LinkDetails = LinkDetails> = Omit<LinkRecord<D>, "kernelLinkId" | "programId"> & {
  readonly programId: Bound<number>;
  readonly kernelLinkId?: Bound<number>;
};

/** One change of the store; a commit makes several in one transaction. */
export type StoreChange =
  | { readonly kind: "program.put"; readonly program: NewProgram }
  | { readonly kind: "program.delete"; readonly id: number }
  /** Replaces the row and all members of the dispatcher. */
  | {
      readonly kind: "dispatcher.put";
      readonly dispatcher: PlannedDispatcher;
      readonly members: readonly NewLink<MemberDetails>[];
    }
  | { readonly kind: "dispatcher.delete"; readonly key: DispatcherKey }
  /** Forgets that an interface's clsact qdisc was made by sluice. */
  | { readonly kind: "clsact.forget"; readonly nsid: number; readonly ifindex: number }
  | { readonly kind: "link.put"; readonly link: NewLink }
  | { readonly kind: "link.delete"; readonly id: number };

/** Where a TCX program goes among those that are there. */
export type TcxPlace =
  | { readonly kind: "head" | "tail" }
  | { readonly kind: "before" | "after"; readonly programId: number };

/** What the dispatcher does to a kernel and to its store. */
export type DispatcherAction =
  /** Loads programs of an object, all or none, and pins them and their maps. */
  | {
      readonly kind: "object.load";
      /** SHA-256 of the object file. */
      readonly digest: string;
      readonly label: string;
      readonly programs: readonly LoadItem[];
      readonly globals: Readonly<Record<string, string>>;
      /** The set of maps to share, of a program loaded earlier. */
      readonly mapOwner?: number;
      /** Maps to take from pins elsewhere: absolute paths by name. */
      readonly reuse?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "object.unload"; readonly label: string; readonly programs: readonly LoadItem[] }
  /** After the commit: removes the pins of a program, and of its maps when nobody else uses them. */
  | {
      readonly kind: "program.remove";
      readonly id: number;
      readonly name: string;
      readonly mapSet?: number;
      readonly sharedMaps: readonly string[];
    }
  | { readonly kind: "clsact.add"; readonly place: Place }
  /** Removes clsact when it is ours and no filter is left on either side. */
  | { readonly kind: "clsact.remove"; readonly place: Place }
  /** Loads a revision's program, and pins it in a folder of its own. */
  | {
      readonly kind: "revision.build";
      readonly place: Place;
      readonly revision: number;
      readonly engine: EngineName;
      readonly members: readonly BuildMember[];
      readonly binds: string;
    }
  | { readonly kind: "revision.remove"; readonly place: Place; readonly revision: number }
  /** Attaches a revision where nothing of ours is. `handle` asks for a filter's former handle. */
  | {
      readonly kind: "hook.attach";
      readonly place: Place;
      readonly revision: number;
      readonly attachment: PlannedAttachment;
      readonly binds: string;
    }
  /** Puts a revision in the place of another, in one step; of whatever is there when `from` has no pin any more. */
  | {
      readonly kind: "hook.swap";
      readonly place: Place;
      readonly attachment: PlannedAttachment;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: "hook.detach";
      readonly place: Place;
      readonly attachment: PlannedAttachment;
      readonly revision: number;
    }
  /** Attaches a program by a link of its own. */
  | {
      readonly kind: "link.attach";
      readonly linkId: number;
      readonly programId: Bound<number>;
      readonly name: string;
      readonly details: Exclude<LinkDetails, MemberDetails>;
      readonly at?: TcxPlace;
      readonly binds: string;
    }
  | {
      readonly kind: "link.detach";
      readonly linkId: number;
      readonly programId: number;
      readonly name: string;
      readonly details: Exclude<LinkDetails, MemberDetails>;
    }
  /** Removes a pin that no row explains; `folder` with what is in it. */
  | { readonly kind: "pin.remove"; readonly path: string; readonly folder: boolean }
  /** All changes of the store, in one transaction: what comes after only clears up. */
  | { readonly kind: "store.commit"; readonly changes: readonly StoreChange[] };

const SIGNS: Readonly<Record<DispatcherAction["kind"], Sign>> = {
  "object.load": "+",
  "object.unload": "-",
  "program.remove": "-",
  "clsact.add": "+",
  "clsact.remove": "-",
  "revision.build": "+",
  "revision.remove": "-",
  "hook.attach": "+",
  "hook.swap": "~",
  "hook.detach": "-",
  "link.attach": "+",
  "link.detach": "-",
  "pin.remove": "-",
  "store.commit": "~",
};

const placeText = ({ key, device }: Place): string => `${key.hook} on ${device}`;

function attachmentText(attachment: PlannedAttachment): string {
  if (attachment.via === "clsact") return `a filter of clsact, pref ${FILTER_PRIORITY}`;
  return attachment.via === "tcx" ? "a TCX link" : `an XDP link, mode ${attachment.mode}`;
}

/** Where a link attaches, in a few words: `eth0 ingress`, `syscalls/sys_enter_openat`. */
export function detailsText(details: LinkDetails): string {
  switch (details.kind) {
    case "xdp":
      return `${details.device} pos-${details.position}`;
    case "tc":
      return `${details.device} ${details.key.hook.slice("tc-".length)} pos-${details.position}`;
    case "tcx":
      return `${details.device} ${details.side}`;
    case "tracepoint":
      return `${details.group}/${details.name}`;
    case "kprobe":
      return `${details.function}${details.offset === 0 ? "" : `+${details.offset}`}`;
    case "uprobe":
      return [details.target, details.function, details.offset === 0 ? undefined : `+${details.offset}`]
        .filter((part) => part !== undefined)
        .join(" ");
    case "fentry":
    case "fexit":
      return details.function;
  }
}

function changeText(change: StoreChange): string {
  switch (change.kind) {
    case "program.put":
      return `program ${change.program.name}`;
    case "program.delete":
      return `no program ${change.id}`;
    case "dispatcher.put": {
      const { key, device, revision } = change.dispatcher;
      return `${placeText({ key, device })} at revision ${revision} with ${change.members.length} members`;
    }
    case "dispatcher.delete":
      return `no ${change.key.hook} dispatcher on interface ${change.key.ifindex}`;
    case "clsact.forget":
      return `no clsact of ours on interface ${change.ifindex}`;
    case "link.put":
      return `link ${change.link.id}`;
    case "link.delete":
      return `no link ${change.id}`;
  }
}

function describe(action: DispatcherAction): string {
  switch (action.kind) {
    case "object.load":
    case "object.unload":
      return `programs ${action.programs.map(({ type, name }) => `${type}:${name}`).join(", ")} of ${action.label}`;
    case "program.remove":
      return `program ${action.id} (${action.name})`;
    case "clsact.add":
    case "clsact.remove":
      return `qdisc clsact dev ${action.place.device}`;
    case "revision.build": {
      const members = action.members.map(
        ({ name, programId, priority }, i) => `${i}: ${name} (program ${showBound(programId)}, priority ${priority})`,
      );
      return `dispatcher ${placeText(action.place)} revision ${action.revision}, ${action.engine}: ${members.join(", ")}`;
    }
    case "revision.remove":
      return `dispatcher ${placeText(action.place)} revision ${action.revision}`;
    case "hook.attach":
      return `attach ${placeText(action.place)} revision ${action.revision} by ${attachmentText(action.attachment)}`;
    case "hook.swap":
      return `swap ${placeText(action.place)} revision ${action.from} -> ${action.to}`;
    case "hook.detach":
      return `detach ${placeText(action.place)} revision ${action.revision}`;
    case "link.attach":
    case "link.detach":
      return `link ${action.linkId}: ${action.details.kind} ${action.name} to ${detailsText(action.details)}`;
    case "pin.remove":
      return `pin ${action.path}`;
    case "store.commit":
      return `store: ${action.changes.map((change) => changeText(change)).join(", ")}`;
  }
}

/**
 * What stands before the commit can be taken back: a detached hook gets its revision again, by a filter of the same
 * handle. What stands behind it only clears up.
 */
function inverse(action: DispatcherAction): DispatcherAction | undefined {
  switch (action.kind) {
    case "object.load":
      return { kind: "object.unload", label: action.label, programs: action.programs };
    case "clsact.add":
      return { kind: "clsact.remove", place: action.place };
    case "revision.build":
      return { kind: "revision.remove", place: action.place, revision: action.revision };
    case "hook.attach":
      return {
        kind: "hook.detach",
        place: action.place,
        attachment: action.attachment,
        revision: action.revision,
      };
    case "hook.swap":
      return { ...action, from: action.to, to: action.from };
    case "hook.detach":
      return { ...action, kind: "hook.attach", binds: `again:${action.revision}` };
    case "link.attach": {
      const { linkId, name, details } = action;
      return { kind: "link.detach", linkId, programId: 0, name, details };
    }
    case "link.detach":
      return { ...action, kind: "link.attach", binds: `again:${action.linkId}` };
    case "object.unload":
    case "program.remove":
    case "clsact.remove":
    case "revision.remove":
    case "pin.remove":
    case "store.commit":
      return undefined;
  }
}

/** How the dispatcher's actions are described and undone. */
export const DISPATCHER_ACTIONS: ActionVocabulary<DispatcherAction> = {
  describe,
  sign: ({ kind }) => SIGNS[kind],
  inverse: (action) => [inverse(action) ?? []].flat(),
};

/** An action for machines. */
export const dispatcherActionJson = (
  action: DispatcherAction,
): { readonly sign: Sign; readonly kind: DispatcherAction["kind"]; readonly text: string } => ({
  sign: SIGNS[action.kind],
  kind: action.kind,
  text: describe(action),
});
