/** Puts dispatchers on hooks, exchanges and removes them: XDP and TCX by pinned links, TC by filters on clsact. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Bound } from "../../core/binding.ts";
import { messageOf, type SluiceError, sluiceError } from "../../core/errors.ts";
import { handle, TC_CLSACT, TC_EGRESS, TC_INGRESS } from "../../core/tc/handle.ts";
import { openProgramById } from "../../linux/bpf/info.ts";
import { createTcxLink, createXdpLink, detachLink, linkInfo, updateLink, XDP_FLAGS } from "../../linux/bpf/link.ts";
import { openPin, pin, unpin } from "../../linux/bpf/pin.ts";
import { SystemError } from "../../linux/errno.ts";
import type { Fd } from "../../linux/fd.ts";
import { dumpFilters } from "../../linux/netlink/dump.ts";
import { MessageWriter } from "../../linux/netlink/message.ts";
import type { RtnlSocket } from "../../linux/netlink/socket.ts";
import { decodeFilter, encodeFilter, encodeFilterDelete } from "../../linux/netlink/tc/filter.ts";
import { encodeQdisc } from "../../linux/netlink/tc/qdisc.ts";
import type { DispatcherAction, Place } from "../actions.ts";
import { filterParent } from "../fetch.ts";
import { FILTER_NAME, FILTER_PRIORITY, type HookName, type PlannedAttachment, sideOf, type XdpMode } from "../model.ts";
import { hookPin, revisionPin } from "../paths.ts";
import { forgetClsact, markClsact } from "../state/write.ts";
import { type KernelContext, pinPath, spaceOf } from "./context.ts";

type HookAction = Extract<DispatcherAction, { kind: `hook.${string}` | `clsact.${string}` }>;

const CLSACT = { handle: handle(0xffff), parent: TC_CLSACT, qdisc: { kind: "clsact" } } as const;
const MODE_FLAGS: Readonly<Record<XdpMode, number>> = { auto: 0, native: XDP_FLAGS.DRV, generic: XDP_FLAGS.SKB };
/** Another XDP program that is just going: the kernel frees the hook a moment later. */
const BUSY_TRIES = 5;
const FIRST_BUSY_WAIT = 50;
/** A driver that could, but not for this interface as it is set up now (its MTU): the stack can. */
const DRIVER_CANNOT: ReadonlySet<string> = new Set(["ERANGE", "EOPNOTSUPP", "EINVAL"]);

const sleep = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

type TcName = Exclude<HookName, "xdp">;
const filterPlace = (hook: TcName, number: number) => ({
  parent: filterParent(sideOf(hook)),
  priority: FILTER_PRIORITY,
  handle: number,
});

function encode(write: (writer: MessageWriter) => void) {
  const writer = new MessageWriter(256);
  write(writer);
  return writer.finish();
}

function openRevision(context: KernelContext, place: Place, revision: number): Fd {
  const path = pinPath(context, revisionPin(place.key, revision));
  const fd = openPin(path);
  if (!fd) throw new SystemError(`open ${path}`, 2);
  return fd;
}

/** The error of a driver whose buffers are too small for the interface's packets; undefined for any other. */
const driverRefusal = (error: unknown, { device }: Place): SluiceError | undefined =>
  error instanceof SystemError && error.code === "ERANGE"
    ? sluiceError("XDP_DRIVER", { device, reason: messageOf(error) }, { cause: error })
    : undefined;

/** Creates the XDP link; where another program is, says so. */
function attachXdp(context: KernelContext, place: Place, program: Fd, mode: XdpMode): Fd {
  const { ns } = spaceOf(context, place);
  const create = (flags: number): Fd => ns.run(() => createXdpLink(program, place.key.ifindex, flags));
  for (let tries = 1; ; tries += 1) {
    try {
      return create(MODE_FLAGS[mode]);
    } catch (error) {
      const code = error instanceof SystemError ? error.code : "";
      if (code === "EBUSY" && tries < BUSY_TRIES) {
        sleep(FIRST_BUSY_WAIT * 2 ** (tries - 1));
        continue;
      }
      if (code === "EBUSY" || code === "EEXIST")
        throw sluiceError("FOREIGN_XDP", { device: place.device, program: messageOf(error) }, { cause: error });
      if (mode !== "auto" || !DRIVER_CANNOT.has(code)) throw driverRefusal(error, place) ?? error;
      const generic = create(XDP_FLAGS.SKB);
      context.warnings.push(`${place.device} runs XDP in generic mode: its driver says ${messageOf(error)}`);
      return generic;
    }
  }
}

/** Pins a link where the hook's link is kept, in the place of one that is dead. */
function pinHolder(context: KernelContext, place: Place, link: Fd): number {
  const path = pinPath(context, hookPin(place.key));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  unpin(path);
  context.fault("hook.attached");
  pin(link.number, path);
  return linkInfo(link).id;
}

/** Adds our filter, under a former handle when it had one and that is free; returns the handle. */
function addFilter(socket: RtnlSocket, place: Place, program: Fd, wanted: Bound<number>): number {
  const { ifindex, hook } = place.key;
  const add = (number: number): number => {
    const filter = {
      ...filterPlace(hook as TcName, number),
      fd: program.number,
      name: FILTER_NAME,
      directAction: true,
    };
    const batch = encode((writer) => encodeFilter(writer, "add", ifindex, filter));
    return socket.echo(batch, decodeFilter).handle;
  };
  if (typeof wanted === "number") {
    try {
      return add(wanted);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "EEXIST")) throw error;
      // Somebody else's by now.
    }
  }
  return add(0);
}

function attach(context: KernelContext, action: Extract<HookAction, { kind: "hook.attach" }>): void {
  const { place, attachment } = action;
  using program = openRevision(context, place, action.revision);
  context.bindings.set(action.binds, attachProgram(context, place, attachment, program));
}

function attachProgram(context: KernelContext, place: Place, attachment: PlannedAttachment, program: Fd): number {
  switch (attachment.via) {
    case "xdp": {
      using link = attachXdp(context, place, program, attachment.mode);
      return pinHolder(context, place, link);
    }
    case "tcx": {
      const side = sideOf(place.key.hook as TcName);
      const { ns } = spaceOf(context, place);
      using link = ns.run(() => createTcxLink(program, place.key.ifindex, side, { kind: "tail" }));
      return pinHolder(context, place, link);
    }
    case "clsact":
      return addFilter(spaceOf(context, place).socket, place, program, attachment.handle);
  }
}

function swap(context: KernelContext, action: Extract<HookAction, { kind: "hook.swap" }>): void {
  const { place, attachment, from, to } = action;
  using program = openRevision(context, place, to);
  if (attachment.via === "clsact") {
    const number = context.bindings.resolve(attachment.handle);
    const filter = {
      ...filterPlace(place.key.hook as TcName, number),
      fd: program.number,
      name: FILTER_NAME,
      directAction: true,
    };
    const batch = encode((writer) => encodeFilter(writer, "replace", place.key.ifindex, filter));
    spaceOf(context, place).socket.request(batch);
    return;
  }
  const path = pinPath(context, hookPin(place.key));
  using link = openPin(path);
  if (!link) throw new SystemError(`open ${path}`, 2);
  using before = openPin(pinPath(context, revisionPin(place.key, from))) ?? openProgramById(linkInfo(link).programId);
  if (!before) throw new SystemError(`open program ${linkInfo(link).programId}`, 2);
  try {
    updateLink(link, program, before);
  } catch (error) {
    throw driverRefusal(error, place) ?? error;
  }
}

function detach(context: KernelContext, { place, attachment }: Extract<HookAction, { kind: "hook.detach" }>): void {
  if (attachment.via === "clsact") {
    const space = context.namespaces.find(place.key.nsid, place.netns);
    if (!space) return;
    const at = filterPlace(place.key.hook as TcName, context.bindings.resolve(attachment.handle));
    const [error] = space.socket.send(encode((writer) => encodeFilterDelete(writer, place.key.ifindex, at)));
    // Gone already, with its qdisc or its interface.
    if (error && !["ENOENT", "EINVAL", "ENODEV"].includes(error.code)) throw error;
    return;
  }
  const path = pinPath(context, hookPin(place.key));
  using link = openPin(path);
  if (!link) return;
  detachLink(link);
  context.fault("hook.detached");
  unpin(path);
}

/** The mark first: whoever dies between the two leaves a mark without a qdisc, not a qdisc that stays for good. */
function addClsact(context: KernelContext, place: Place): void {
  const { nsid, ifindex } = place.key;
  markClsact(context.db(), nsid, ifindex, context.boot);
  context.fault("clsact.marked");
  try {
    spaceOf(context, place).socket.request(encode((writer) => encodeQdisc(writer, "add", ifindex, CLSACT)));
  } catch (error) {
    forgetClsact(context.db(), nsid, ifindex);
    throw error;
  }
}

function removeClsact(context: KernelContext, place: Place): void {
  const { nsid, ifindex } = place.key;
  const space = context.namespaces.find(nsid, place.netns);
  if (!space) return;
  const inUse = [TC_INGRESS, TC_EGRESS].some((parent) => dumpFilters(space.socket, ifindex, parent).length > 0);
  if (inUse) return;
  space.socket.request(encode((writer) => encodeQdisc(writer, "del", ifindex, CLSACT)));
  forgetClsact(context.db(), nsid, ifindex);
}

/** Carries out an action on a hook. */
export function doHook(context: KernelContext, action: HookAction): void {
  switch (action.kind) {
    case "hook.attach":
      return attach(context, action);
    case "hook.swap":
      return swap(context, action);
    case "hook.detach":
      return detach(context, action);
    case "clsact.add":
      return addClsact(context, action.place);
    case "clsact.remove":
      return removeClsact(context, action.place);
  }
}
