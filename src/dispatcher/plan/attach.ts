/** Attaching a loaded program: to a dispatcher's chain, to the kernel's own TCX chain, or to a trace point. */
import { ref } from "../../core/binding.ts";
import { type SluiceError, sluiceError } from "../../core/errors.ts";
import type { NewLink, TcxPlace } from "../actions.ts";
import {
  type DispatcherKey,
  isTcx,
  type LinkRecord,
  type ProgramRecord,
  type ProgramType,
  type State,
  type TcxDetails,
  type TraceDetails,
} from "../model.ts";
import type { TcxView } from "../observed.ts";
import { planRebuild, type Rebuild, type RebuildInputs, type RebuildSegment } from "./rebuild.ts";
import type { Segment } from "./segment.ts";

/** The program types that each kind of attachment takes. */
export const TAKES: Readonly<Record<string, readonly ProgramType[]>> = {
  xdp: ["xdp"],
  tc: ["tc"],
  tcx: ["tcx"],
  tracepoint: ["tracepoint"],
  kprobe: ["kprobe", "kretprobe"],
  uprobe: ["uprobe", "uretprobe"],
  fentry: ["fentry"],
  fexit: ["fexit"],
};

/** Why a program cannot be had: it is not there, or, when the kernel has a name for it, not ours. */
export const missingProgram = (id: number, name: string | undefined): SluiceError =>
  name === undefined ? sluiceError("PROGRAM_UNKNOWN", { id }) : sluiceError("PROGRAM_UNMANAGED", { id, name });

/**
 * The program to be attached.
 *
 * @param nameInKernel the kernel's name of an id, for one that is not ours
 * @throws SluiceError PROGRAM_UNKNOWN, PROGRAM_UNMANAGED, PROGRAM_KIND
 */
export function attachable(
  state: State,
  id: number,
  kind: keyof typeof TAKES,
  nameInKernel: (id: number) => string | undefined,
): ProgramRecord {
  const program = state.programs.get(id);
  if (!program) throw missingProgram(id, nameInKernel(id));
  const takes = TAKES[kind]!;
  if (!takes.includes(program.type))
    throw sluiceError("PROGRAM_KIND", { id, type: program.type, kind, takes: takes.join(", ") });
  return program;
}

/** What the user wants of an attachment to a dispatcher. */
export interface DispatcherAttach extends Pick<Rebuild, "device" | "netns" | "engine" | "tcHook" | "xdpMode"> {
  readonly key: DispatcherKey;
  readonly program: ProgramRecord;
  /** 0 or more; lower runs earlier. */
  readonly priority: number;
  readonly proceedOn: readonly number[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Refuses a priority that is none. @throws SluiceError USAGE */
export function checkPriority(priority: number, command: string): void {
  if (Number.isSafeInteger(priority) && priority >= 0 && priority <= 0x7fff_ffff) return;
  const reason = `Cannot use the priority ${priority}: it must be a whole number, non-negative and at most 2147483647`;
  throw sluiceError("USAGE", { reason, command });
}

/** Attaches a program to a dispatcher. @throws SluiceError as {@link planRebuild} */
export function planDispatcherAttach(attach: DispatcherAttach, inputs: RebuildInputs): RebuildSegment {
  const { program, priority, proceedOn, metadata, ...rebuild } = attach;
  const { name, frags, tailCalls } = program;
  const member = {
    linkId: inputs.state.nextLinkId,
    programId: program.id,
    name,
    frags,
    tailCalls,
    priority,
    proceedOn,
    metadata,
  };
  return planRebuild({ ...rebuild, add: [member], remove: new Set() }, inputs);
}

/** TCX links on the same chain in the order of their priority, older first. */
function neighbours(state: State, at: Pick<TcxDetails, "nsid" | "ifindex" | "side">): LinkRecord<TcxDetails>[] {
  return [...state.links.values()]
    .filter((link) => isTcx(link))
    .filter(({ details }) => details.nsid === at.nsid && details.ifindex === at.ifindex && details.side === at.side)
    .toSorted((a, b) => a.details.priority - b.details.priority || a.id - b.id);
}

/** The position of each TCX link in its chain: its rank in the order of priorities. */
export function tcxPosition(state: State, link: LinkRecord<TcxDetails>): number {
  return neighbours(state, link.details).findIndex(({ id }) => id === link.id);
}

/**
 * Before the first neighbour of a greater priority, else after the last. Neighbours whose program is no longer in the
 * chain are no anchors: the kernel would refuse them.
 */
function tcxPlace(state: State, details: TcxDetails, chain: TcxView): TcxPlace {
  const alive = neighbours(state, details).filter(({ programId }) =>
    chain.entries.some((entry) => entry.programId === programId),
  );
  const next = alive.find((link) => link.details.priority > details.priority);
  if (next) return { kind: "before", programId: next.programId };
  const last = alive.at(-1);
  return last ? { kind: "after", programId: last.programId } : { kind: "head" };
}

/** What is common to attachments by a link of their own. */
export interface LinkAttach<D> {
  readonly program: ProgramRecord;
  readonly details: D;
  readonly metadata: Readonly<Record<string, string>>;
}

function linkSegment(attach: LinkAttach<TcxDetails | TraceDetails>, state: State, now: string, at?: TcxPlace): Segment {
  const { program, details, metadata } = attach;
  const linkId = state.nextLinkId;
  const binds = `link:${linkId}`;
  const action = { kind: "link.attach" as const, linkId, programId: program.id, name: program.name, details, binds };
  const link: NewLink = {
    id: linkId,
    programId: program.id,
    kernelLinkId: ref(binds),
    details,
    metadata,
    createdAt: now,
  };
  return { prepare: [at ? { ...action, at } : action], changes: [{ kind: "link.put", link }], cleanup: [] };
}

/** Attaches a program to the kernel's own chain. @throws SluiceError TCX_DUPLICATE */
export function planTcxAttach(attach: LinkAttach<TcxDetails>, state: State, chain: TcxView, now: string): Segment {
  const { program, details } = attach;
  const twin = neighbours(state, details).find(({ programId }) => programId === program.id);
  if (twin)
    throw sluiceError("TCX_DUPLICATE", { id: program.id, device: details.device, side: details.side, link: twin.id });
  return linkSegment(attach, state, now, tcxPlace(state, details, chain));
}

/** Attaches a tracing program. */
export const planTraceAttach = (attach: LinkAttach<TraceDetails>, state: State, now: string): Segment =>
  linkSegment(attach, state, now);
