/** What users do with programs and links: each a change of the dispatcher, from their words to its result. */
import { readFileSync } from "node:fs";
import { messageOf, sluiceError } from "../core/errors.ts";
import { linkIds } from "../linux/bpf/ids.ts";
import { dumpLinks } from "../linux/netlink/dump.ts";
import type { Change, ChangeInputs, Dispatcher } from "./dispatcher.ts";
import {
  type DispatcherKey,
  type EngineName,
  type HookName,
  keyText,
  type LinkRecord,
  type ProgramRecord,
  type Side,
  type TcHook,
  type TraceDetails,
  type XdpMode,
} from "./model.ts";
import { nameOfProgram } from "./fetch.ts";
import { digestOf, readObject } from "./object.ts";
import {
  attachable,
  checkPriority,
  missingProgram,
  planDispatcherAttach,
  planTcxAttach,
  planTraceAttach,
} from "./plan/attach.ts";
import { planDetach, planUnload } from "./plan/detach.ts";
import { type LoadRequest, planLoad, programBinding } from "./plan/load.ts";
import { DEFAULT_PROCEED_ON } from "./proceed-on.ts";

/** Whether to do it or only to plan it. */
export interface Manner {
  readonly dryRun?: boolean;
}

/** A change, and the programs or links that it is about as they are afterwards; none of a dry run. */
export interface Done<T> {
  readonly change: Change;
  readonly items: readonly T[];
}

/** Reads an object file. @throws SluiceError FILE_UNREADABLE */
export function readObjectFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw sluiceError("FILE_UNREADABLE", { file: path, reason: messageOf(error) }, { cause: error });
  }
}

/** Loads programs, all or none. */
export async function loadPrograms(
  dispatcher: Dispatcher,
  request: LoadRequest,
  image: Uint8Array,
  { dryRun = false }: Manner = {},
): Promise<Done<ProgramRecord>> {
  const facts = readObject(request.label, image);
  const make = ({ snapshot, now }: ChangeInputs) => [planLoad(request, facts, snapshot.state, now)];
  const change = await dispatcher.change(make, { images: new Map([[digestOf(image), image]]), dryRun });
  const ids = dryRun ? [] : request.programs.map((_, i) => change.bindings.resolve({ ref: programBinding(i) }));
  return { change, items: ids.map((id) => change.state.programs.get(id)!) };
}

/** Ids that are to be taken, each known; an unknown one is an error unless `ignoreMissing`. */
function known<T>(
  ids: readonly number[],
  rows: ReadonlyMap<number, T>,
  ignoreMissing: boolean,
  missing: (id: number) => Error,
): number[] {
  return [...new Set(ids)].filter((id) => {
    if (rows.has(id)) return true;
    if (ignoreMissing) return false;
    throw missing(id);
  });
}

/** Why a link cannot be had: it is not there, or not ours. */
export const missingLink = (id: number): Error =>
  sluiceError(linkIds().includes(id) ? "LINK_UNMANAGED" : "LINK_UNKNOWN", { id });

/** How things are taken away. */
export interface RemoveOptions extends Manner {
  readonly ignoreMissing?: boolean;
  /** Remove clsact with its last filter, where sluice made it. */
  readonly reclaimClsact?: boolean;
}

/**
 * Unloads programs, with all their links. Ids are looked up before anything is healed: what healing takes away on the way
 * was asked for too.
 */
export async function unloadPrograms(
  dispatcher: Dispatcher,
  ids: readonly number[],
  options: RemoveOptions = {},
): Promise<Done<number>> {
  const { ignoreMissing = false, dryRun = false, reclaimClsact = false } = options;
  const missing = (id: number): Error => missingProgram(id, nameOfProgram(id));
  const items = known(ids, dispatcher.state().programs, ignoreMissing, missing);
  const change = await dispatcher.change((inputs) => planUnload(items, { ...inputs, reclaimClsact }), { dryRun });
  return { change, items };
}

/** Detaches links. */
export async function detachLinks(
  dispatcher: Dispatcher,
  ids: readonly number[],
  options: RemoveOptions = {},
): Promise<Done<LinkRecord>> {
  const { ignoreMissing = false, dryRun = false, reclaimClsact = false } = options;
  const before = dispatcher.state();
  const wanted = known(ids, before.links, ignoreMissing, missingLink);
  const make = (inputs: ChangeInputs) => {
    const links = wanted.flatMap((id) => inputs.snapshot.state.links.get(id) ?? []);
    return planDetach(links, { ...inputs, reclaimClsact });
  };
  const change = await dispatcher.change(make, { dryRun });
  return { change, items: wanted.map((id) => before.links.get(id)!) };
}

/** What network attachments share. */
export interface NetworkAttach extends Manner {
  readonly programId: number;
  readonly device: string;
  readonly netns?: string;
  readonly priority: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An interface that the user named. */
interface FoundDevice {
  readonly nsid: number;
  readonly ifindex: number;
}

/** Looks an interface up inside its namespace. @throws SluiceError DEVICE_MISSING, NETNS_MISSING */
export function findDevice(dispatcher: Dispatcher, device: string, netns?: string): FoundDevice {
  const { nsid, space } = dispatcher.namespaces.open(netns);
  const found = dumpLinks(space.socket).find(({ name }) => name === device);
  if (found) return { nsid, ifindex: found.ifindex };
  const where = netns === undefined ? "this network namespace" : `the network namespace "${netns}"`;
  throw sluiceError("DEVICE_MISSING", { device, where });
}

function attached(change: Change, linkId: number, dryRun: boolean): Done<LinkRecord> {
  return { change, items: dryRun ? [] : [change.state.links.get(linkId)!] };
}

/** Attaches a program to a hook's dispatcher. */
export async function attachToDispatcher(
  dispatcher: Dispatcher,
  attach: NetworkAttach & {
    readonly hook: HookName;
    readonly proceedOn?: readonly number[];
    readonly engine?: EngineName;
    readonly tcHook?: TcHook;
    readonly xdpMode?: XdpMode;
  },
): Promise<Done<LinkRecord>> {
  const { programId, hook, device, netns, priority, metadata = {}, dryRun = false } = attach;
  const kind = hook === "xdp" ? "xdp" : "tc";
  checkPriority(priority, `sluice link attach ${kind}`);
  attachable(dispatcher.state(), programId, kind, nameOfProgram);
  const key: DispatcherKey = { hook, ...findDevice(dispatcher, device, netns) };
  let linkId = 0;
  const make = (inputs: ChangeInputs) => {
    const { state, hooks } = inputs.snapshot;
    linkId = state.nextLinkId;
    const request = {
      key,
      program: attachable(state, programId, kind, nameOfProgram),
      device,
      ...(netns !== undefined && { netns }),
      priority,
      proceedOn: attach.proceedOn ?? DEFAULT_PROCEED_ON[kind],
      metadata,
      ...(attach.engine && { engine: attach.engine }),
      ...(attach.tcHook && { tcHook: attach.tcHook }),
      ...(attach.xdpMode && { xdpMode: attach.xdpMode }),
    };
    return [planDispatcherAttach(request, { ...inputs, state, hook: hooks.get(keyText(key))! })];
  };
  const hooks = [{ key, device, ...(netns !== undefined && { netns }) }];
  const change = await dispatcher.change(make, { hooks, dryRun });
  return attached(change, linkId, dryRun);
}

/** Attaches a program to the kernel's own TCX chain. */
export async function attachTcx(
  dispatcher: Dispatcher,
  attach: NetworkAttach & { readonly side: Side },
): Promise<Done<LinkRecord>> {
  const { programId, side, device, netns, priority, metadata = {}, dryRun = false } = attach;
  checkPriority(priority, "sluice link attach tcx");
  attachable(dispatcher.state(), programId, "tcx", nameOfProgram);
  const at = { side, ...findDevice(dispatcher, device, netns) };
  const details = { kind: "tcx" as const, ...at, device, ...(netns !== undefined && { netns }), priority };
  let linkId = 0;
  const make = (inputs: ChangeInputs) => {
    const { state, tcx } = inputs.snapshot;
    linkId = state.nextLinkId;
    const program = attachable(state, programId, "tcx", nameOfProgram);
    const chain = tcx.findLast(
      ({ nsid, ifindex, side: s }) => nsid === at.nsid && ifindex === at.ifindex && s === side,
    )!;
    return [planTcxAttach({ program, details, metadata }, state, chain, inputs.now)];
  };
  const change = await dispatcher.change(make, { chains: [details], dryRun });
  return attached(change, linkId, dryRun);
}

/** Attaches a tracing program. */
export async function attachTrace(
  dispatcher: Dispatcher,
  attach: Manner & {
    readonly programId: number;
    readonly kind: TraceDetails["kind"];
    /** Given the program, whose type says whether a probe is at the return. */
    readonly details: (program: ProgramRecord) => TraceDetails;
    readonly metadata?: Readonly<Record<string, string>>;
  },
): Promise<Done<LinkRecord>> {
  const { programId, kind, metadata = {}, dryRun = false } = attach;
  attachable(dispatcher.state(), programId, kind, nameOfProgram);
  let linkId = 0;
  const make = (inputs: ChangeInputs) => {
    const { state } = inputs.snapshot;
    linkId = state.nextLinkId;
    const program = attachable(state, programId, kind, nameOfProgram);
    return [planTraceAttach({ program, details: attach.details(program), metadata }, state, inputs.now)];
  };
  const change = await dispatcher.change(make, { dryRun });
  return attached(change, linkId, dryRun);
}
