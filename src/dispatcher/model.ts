/**
 * The dispatcher's nouns. A *program* is one function of an object file that was loaded; a *link* attaches it somewhere; a
 * *dispatcher* is the program of ours that sits on a hook of an interface and calls the programs linked there, its
 * *members*, in order. Each change of the members makes a new *revision*, which takes the old one's place in one step.
 */
import type { Bound } from "../core/binding.ts";
import type { VerdictFamily } from "./proceed-on.ts";

/** What a program can be attached to. */
export type ProgramType =
  | "xdp"
  | "tc"
  | "tcx"
  | "tracepoint"
  | "kprobe"
  | "kretprobe"
  | "uprobe"
  | "uretprobe"
  | "fentry"
  | "fexit";

/** Every program type. */
export const PROGRAM_TYPES: readonly ProgramType[] = [
  "xdp",
  "tc",
  "tcx",
  "tracepoint",
  "kprobe",
  "kretprobe",
  "uprobe",
  "uretprobe",
  "fentry",
  "fexit",
];

/** Sides of an interface. */
export type Side = "ingress" | "egress";

/** Hooks that a dispatcher shares among programs. */
export type HookName = "xdp" | "tc-ingress" | "tc-egress";

/** Every such hook. */
export const HOOK_NAMES: readonly HookName[] = ["xdp", "tc-ingress", "tc-egress"];

/** How a dispatcher calls its members: by replacing functions in a fixed program (BPF EXT), or as one joined program. */
export type EngineName = "freplace" | "fused";

/** How a dispatcher for TC is attached: as a filter on clsact, or through TCX (Linux 6.6). */
export type TcHook = "clsact" | "tcx";

/** How XDP is attached: as the driver can, in the driver or not at all, in the network stack. */
export type XdpMode = "auto" | "native" | "generic";

/** Most members a dispatcher can have. */
export const SLOTS = 10;

/** The priority of our filters on clsact, for every dispatcher; members are ordered inside. */
export const FILTER_PRIORITY = 50;

/** The verdicts that count on a hook. */
export const familyOf = (hook: HookName): VerdictFamily => (hook === "xdp" ? "xdp" : "tc");

/** The side of a TC hook. */
export const sideOf = (hook: Exclude<HookName, "xdp">): Side => (hook === "tc-ingress" ? "ingress" : "egress");

/** The name of those filters, as tc shows it. */
export const FILTER_NAME = "sluice_dispatcher";

/** Which dispatcher: one per hook of an interface of a network namespace. */
export interface DispatcherKey {
  readonly hook: HookName;
  /** The network namespace: the inode number of its file. */
  readonly nsid: number;
  readonly ifindex: number;
}

/** The key as text, `xdp_4026531840_2`: also how its files are called. */
export const keyText = ({ hook, nsid, ifindex }: DispatcherKey): string => `${hook}_${nsid}_${ifindex}`;

/** Whether two keys name the same dispatcher. */
export const sameKey = (a: DispatcherKey, b: DispatcherKey): boolean => keyText(a) === keyText(b);

/** Where an object came from. */
export type ProgramSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "image"; readonly url: string; readonly digest: string; readonly pullPolicy: string }
  /** Part of sluice itself. */
  | { readonly kind: "builtin"; readonly name: string };

/** A place in a member's instructions where the address of a map goes. */
export interface MapReference {
  /** Index of the ld_imm64 instruction. */
  readonly instruction: number;
  /** The pin of the map, relative to the folder of pins. */
  readonly map: string;
}

/** A loaded program, as the store knows it. */
export interface ProgramRecord {
  /** The kernel's id of the program, which bpftool shows too. */
  readonly id: number;
  /** The function's name in the source, whole (the kernel keeps 15 characters). */
  readonly name: string;
  readonly type: ProgramType;
  /** What fentry and fexit programs were loaded for. */
  readonly attachFunction?: string;
  /** Its section in the object file. */
  readonly section: string;
  readonly license: string;
  readonly gplCompatible: boolean;
  readonly source: ProgramSource;
  /** SHA-256 of the object file, in hex. */
  readonly bytecode: string;
  /** Global data that was set while loading: hex by name. */
  readonly globals: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Who manages it, when not the user: `sluice-shaper`. */
  readonly owner?: string;
  /** The set of maps it uses: the id of the program that made them. */
  readonly mapSet: number;
  /** Maps shared by name with every program that asks for it (LIBBPF_PIN_BY_NAME). */
  readonly sharedMaps: readonly string[];
  /** An XDP program that takes packets in several buffers. */
  readonly frags: boolean;
  /** Its object has a table of programs to jump to, which the kernel gives to programs of one type only. */
  readonly tailCalls: boolean;
  /** RFC 3339. */
  readonly loadedAt: string;
}

/** Where and how a member of a dispatcher is attached. */
export interface MemberDetails {
  readonly kind: "xdp" | "tc";
  readonly key: DispatcherKey;
  readonly device: string;
  /** The path of the namespace that the user named; absent for the one sluice ran in. */
  readonly netns?: string;
  /** Lower runs earlier; 0 or more. */
  readonly priority: number;
  /** Its rank in the dispatcher, from 0. */
  readonly position: number;
  /** Verdict codes after which the chain goes on. */
  readonly proceedOn: readonly number[];
}

/** Where a program sits in the kernel's own chain of TCX programs. */
export interface TcxDetails {
  readonly kind: "tcx";
  readonly side: Side;
  readonly nsid: number;
  readonly ifindex: number;
  readonly device: string;
  readonly netns?: string;
  readonly priority: number;
}

/** A tracing program's place. */
export type TraceDetails =
  | { readonly kind: "tracepoint"; readonly group: string; readonly name: string }
  | { readonly kind: "kprobe"; readonly function: string; readonly offset: number; readonly returns: boolean }
  | {
      readonly kind: "uprobe";
      readonly target: string;
      readonly function?: string;
      readonly offset: number;
      readonly pid?: number;
      readonly containerPid?: number;
      readonly returns: boolean;
    }
  | { readonly kind: "fentry" | "fexit"; readonly function: string };

/** Where a link attaches its program. */
export type LinkDetails = MemberDetails | TcxDetails | TraceDetails;

/** A link, as the store knows it. Its id is sluice's own and stays the same through every rebuild. */
export interface LinkRecord<D extends LinkDetails = LinkDetails> {
  readonly id: number;
  readonly programId: number;
  /** The kernel's id of the link that carries it; members of a fused dispatcher have none. */
  readonly kernelLinkId?: number;
  readonly details: D;
  readonly metadata: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** A member of a dispatcher. */
export type MemberLink = LinkRecord<MemberDetails>;

/** What holds a dispatcher on its hook. */
export type Attachment<N extends Bound<number> = number> =
  /** A pinned link of the kernel, for XDP. */
  | { readonly via: "xdp"; readonly linkId: N; readonly mode: XdpMode }
  /** A pinned TCX link. */
  | { readonly via: "tcx"; readonly linkId: N }
  /** A filter on clsact at {@link FILTER_PRIORITY}. */
  | { readonly via: "clsact"; readonly handle: N };

/** In a plan: its number may be what an action before it gives. */
export type PlannedAttachment = Attachment<Bound<number>>;

/** A dispatcher, as the store knows it; its members are the links with its key. */
export interface DispatcherRecord<N extends Bound<number> = number> {
  readonly key: DispatcherKey;
  readonly device: string;
  readonly netns?: string;
  /** 1 for the first, one more for every rebuild. */
  readonly revision: number;
  readonly engine: EngineName;
  /** The kernel's id of this revision's program. */
  readonly programId: N;
  readonly attachment: Attachment<N>;
}

/** In a plan: its numbers may be what actions before give. */
export type PlannedDispatcher = DispatcherRecord<Bound<number>>;

/** Everything the store holds. */
export interface State {
  readonly programs: ReadonlyMap<number, ProgramRecord>;
  readonly links: ReadonlyMap<number, LinkRecord>;
  /** By {@link keyText}. */
  readonly dispatchers: ReadonlyMap<string, DispatcherRecord>;
  /** Programs and dispatchers of an earlier boot: nothing of theirs can be in the kernel any more. */
  readonly bygone: ReadonlySet<number | string>;
  /** Interfaces (`nsid_ifindex`) whose clsact qdisc sluice made. */
  readonly clsact: ReadonlySet<string>;
  /** By which path each network namespace was last reached, by its number. */
  readonly namespaces: ReadonlyMap<number, string>;
  /** The id that the next link gets. */
  readonly nextLinkId: number;
}

/** Whether a link is a member of a dispatcher. */
export const isMember = (link: LinkRecord): link is MemberLink =>
  link.details.kind === "xdp" || link.details.kind === "tc";

/** Whether a link is in the kernel's own TCX chain. */
export const isTcx = (link: LinkRecord): link is LinkRecord<TcxDetails> => link.details.kind === "tcx";

/** The members of a dispatcher in their order. */
export const membersOf = (state: State, key: DispatcherKey): MemberLink[] =>
  [...state.links.values()]
    .filter((link): link is MemberLink => isMember(link) && sameKey(link.details.key, key))
    .toSorted((a, b) => a.details.position - b.details.position);
