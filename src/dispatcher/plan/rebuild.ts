/** Changing the members of one dispatcher: a new revision is built beside the old one and takes its place in one step. */
import { type Bound, ref } from "../../core/binding.ts";
import { sluiceError } from "../../core/errors.ts";
import type { BuildMember, DispatcherAction, NewLink, Place } from "../actions.ts";
import {
  type Attachment,
  type DispatcherKey,
  type DispatcherRecord,
  type PlannedAttachment,
  type EngineName,
  familyOf,
  keyText,
  type MemberDetails,
  membersOf,
  SLOTS,
  type State,
  type TcHook,
  type XdpMode,
} from "../model.ts";
import type { HookView } from "../observed.ts";
import { inOrder } from "../order.ts";
import { hookPin } from "../paths.ts";
import { runningMask } from "../proceed-on.ts";
import type { Segment } from "./segment.ts";

/** A member to be: what the user asked for, with the program's facts. */
export interface MemberRequest {
  readonly linkId: number;
  readonly programId: Bound<number>;
  readonly name: string;
  readonly frags: boolean;
  readonly tailCalls: boolean;
  readonly priority: number;
  readonly proceedOn: readonly number[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What is asked of a dispatcher. */
export interface Rebuild {
  readonly key: DispatcherKey;
  readonly device: string;
  readonly netns?: string;
  readonly add: readonly MemberRequest[];
  /** Links that go. A link that is in both `add` and here is replaced and keeps its id. */
  readonly remove: ReadonlySet<number>;
  /** Default: the one the dispatcher has. */
  readonly engine?: EngineName;
  /** For a first TC attach. */
  readonly tcHook?: TcHook;
  /** For a first XDP attach. */
  readonly xdpMode?: XdpMode;
  /** With the last member, remove a clsact qdisc that sluice made. */
  readonly reclaimClsact?: boolean;
}

/** What a rebuild is planned from. */
export interface RebuildInputs {
  readonly state: State;
  readonly hook: HookView;
  /** The engine that this kernel runs, for dispatchers that have none yet. */
  readonly engine: EngineName;
  /** RFC 3339. */
  readonly now: string;
}

/** A segment, with where the members stand in the end. */
export interface RebuildSegment extends Segment {
  readonly members: readonly NewLink<MemberDetails>[];
}

const WRAP = 2 ** 32;

/** Under which name the kernel's link, or the filter's handle, of a dispatcher is bound. */
export const holderBinding = (key: DispatcherKey): string => `holder:${keyText(key)}`;

interface Candidate extends BuildMember {
  readonly tailCalls: boolean;
  readonly fresh: boolean;
  readonly link: NewLink<MemberDetails>;
}

function candidates(rebuild: Rebuild, { state, now }: RebuildInputs): Candidate[] {
  const { key, device, netns } = rebuild;
  const family = familyOf(key.hook);
  const staying = membersOf(state, key)
    .filter(({ id }) => !rebuild.remove.has(id))
    .map((link): Candidate => {
      const program = state.programs.get(link.programId)!;
      const { priority, proceedOn } = link.details;
      const mask = runningMask(family, proceedOn);
      const { name, frags, tailCalls } = program;
      return { linkId: link.id, programId: link.programId, name, frags, tailCalls, priority, mask, fresh: false, link };
    });
  const coming = rebuild.add.map(({ proceedOn, metadata, ...member }): Candidate => {
    const before = state.links.get(member.linkId);
    const details: MemberDetails = {
      kind: family,
      key,
      device,
      ...(netns !== undefined && { netns }),
      priority: member.priority,
      position: 0,
      proceedOn,
    };
    const link = {
      id: member.linkId,
      programId: member.programId,
      details,
      metadata,
      createdAt: before?.createdAt ?? now,
    };
    return { ...member, mask: runningMask(family, proceedOn), fresh: before === undefined, link };
  });
  return inOrder([...staying, ...coming]);
}

/** Refuses what stands in the way of a first attach, before anything is loaded. */
function refuseForeign({ device, foreignXdp, qdisc }: HookView, key: DispatcherKey, tcHook: TcHook): void {
  if (key.hook === "xdp") {
    if (foreignXdp) throw sluiceError("FOREIGN_XDP", { device, program: `${foreignXdp.name} (id ${foreignXdp.id})` });
    return;
  }
  if (tcHook === "clsact" && qdisc !== undefined && qdisc !== "clsact")
    throw sluiceError("FOREIGN_INGRESS", { device, qdisc });
}

/** An attachment whose holder is bound when it is made. */
function newAttachment(key: DispatcherKey, tcHook: TcHook, mode: XdpMode): PlannedAttachment {
  const binds = ref(holderBinding(key));
  if (key.hook === "xdp") return { via: "xdp", linkId: binds, mode };
  return tcHook === "tcx" ? { via: "tcx", linkId: binds } : { via: "clsact", handle: binds };
}

/** The same way of attaching, made again. */
export const renewed = (key: DispatcherKey, old: Attachment): PlannedAttachment =>
  newAttachment(key, old.via === "tcx" ? "tcx" : "clsact", old.via === "xdp" ? old.mode : "auto");

/** Removes the pin of a link whose interface is gone: nothing is left to be detached. */
export const holderRemoval = ({ key, attachment }: DispatcherRecord): DispatcherAction[] =>
  attachment.via === "clsact" ? [] : [{ kind: "pin.remove", path: hookPin(key), folder: false }];

/** Taking a dispatcher down: the hook first, for good; then the row; then the pins. */
function takeDown(rebuild: Rebuild, old: DispatcherRecord, { state, hook }: RebuildInputs, place: Place): Segment {
  const { attachment, revision, key } = old;
  const clsactOurs = state.clsact.has(`${key.nsid}_${key.ifindex}`);
  const present = hook.place === "present";
  return {
    prepare: present ? [{ kind: "hook.detach", place, attachment, revision }] : [],
    changes: [{ kind: "dispatcher.delete", key }],
    cleanup: [
      { kind: "revision.remove", place, revision },
      ...(present ? [] : holderRemoval(old)),
      ...(rebuild.reclaimClsact && clsactOurs && present ? [{ kind: "clsact.remove" as const, place }] : []),
    ],
  };
}

/**
 * Plans a change of members. In this order: clsact, when it is missing; the new revision beside the old one; the swap, or
 * the first attach; the commit; the old revision's removal. Until the swap packets run the old chain, from then on the
 * new one, and the old one is there to go back to until the store knows of the new one.
 *
 * @throws SluiceError DISPATCHER_FULL, FOREIGN_XDP, FOREIGN_INGRESS
 */
export function planRebuild(rebuild: Rebuild, inputs: RebuildInputs): RebuildSegment {
  const { state, hook } = inputs;
  const { key } = rebuild;
  const old = state.dispatchers.get(keyText(key));
  const netns = rebuild.netns ?? old?.netns;
  const device = hook.place === "present" ? hook.device : rebuild.device;
  const place: Place = { key, device, ...(netns !== undefined && { netns }) };
  const members = candidates(rebuild, inputs);
  if (members.length > SLOTS) throw sluiceError("DISPATCHER_FULL", { hook: key.hook, device, slots: SLOTS });
  if (members.length === 0) {
    if (!old) return { prepare: [], changes: [], cleanup: [], members: [] };
    return { ...takeDown(rebuild, old, inputs, place), members: [] };
  }
  const tcHook = rebuild.tcHook ?? (old?.attachment.via === "tcx" ? "tcx" : "clsact");
  if (hook.programId === undefined) refuseForeign(hook, key, tcHook);

  // A table of programs to jump to belongs to the type that the user's program has: its extension may not use it.
  const fusedOnly = members.some(({ tailCalls }) => tailCalls);
  const engine = rebuild.engine ?? (fusedOnly ? "fused" : (old?.engine ?? inputs.engine));
  const revision = ((old?.revision ?? 0) + 1) % WRAP || 1;
  const program = `dispatcher:${keyText(key)}`;
  const build: DispatcherAction = {
    kind: "revision.build",
    place,
    revision,
    engine,
    members: members.map(({ fresh: _fresh, link: _link, tailCalls: _tailCalls, ...member }) => member),
    binds: program,
  };
  // An old dispatcher whose hook was taken from it is attached anew, a filter under the handle that it had.
  const attached = old !== undefined && hook.programId !== undefined;
  const fresh = old ? renewed(key, old.attachment) : newAttachment(key, tcHook, rebuild.xdpMode ?? "auto");
  const attachment: PlannedAttachment = attached ? old.attachment : fresh;
  const attach: DispatcherAction = attached
    ? { kind: "hook.swap", place, attachment, from: old.revision, to: revision }
    : { kind: "hook.attach", place, revision, attachment: old?.attachment ?? fresh, binds: holderBinding(key) };
  const needsClsact = attachment.via === "clsact" && hook.qdisc === undefined;
  const links = members.map(({ link }, position) => ({
    ...link,
    details: { ...link.details, device, position },
  }));
  return {
    prepare: [...(needsClsact ? [{ kind: "clsact.add" as const, place }] : []), build, attach],
    changes: [
      {
        kind: "dispatcher.put",
        dispatcher: {
          key,
          device,
          ...(netns !== undefined && { netns }),
          revision,
          engine,
          programId: ref(program),
          attachment,
        },
        members: links,
      },
    ],
    cleanup: old ? [{ kind: "revision.remove", place, revision: old.revision }] : [],
    members: links,
  };
}
