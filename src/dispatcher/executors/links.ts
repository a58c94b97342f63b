/** Attaches programs by links of their own: the kernel's TCX chain, and trace points. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { sluiceError } from "../../core/errors.ts";
import { createTcxLink, detachLink, linkInfo, openLinkById, type TcxAnchor } from "../../linux/bpf/link.ts";
import { openPin, pin, unpin } from "../../linux/bpf/pin.ts";
import type { Fd } from "../../linux/fd.ts";
import { attachKprobe } from "../../linux/trace/kprobe.ts";
import { attachTracepoint } from "../../linux/trace/tracepoint.ts";
import { attachTracing } from "../../linux/trace/tracing.ts";
import { attachUprobe } from "../../linux/trace/uprobe.ts";
import type { DispatcherAction, TcxPlace } from "../actions.ts";
import { linkPin, programPin } from "../paths.ts";
import { type KernelContext, pinPath } from "./context.ts";

type LinkAction = Extract<DispatcherAction, { kind: `link.${string}` }>;

/** How long a link that ends with its last holder may take to go, in milliseconds. */
const GONE_WITHIN = 3000;
const LONGEST_WAIT = 50;

const anchorOf = (place: TcxPlace | undefined): TcxAnchor => place ?? { kind: "tail" };

function create(context: KernelContext, action: Extract<LinkAction, { kind: "link.attach" }>, program: Fd): Fd {
  const { details } = action;
  switch (details.kind) {
    case "tcx": {
      const space = context.namespaces.find(details.nsid, details.netns);
      if (!space) throw sluiceError("NETNS_MISSING", { name: details.netns ?? String(details.nsid) });
      const { ifindex, side } = details;
      return space.ns.run(() => createTcxLink(program, ifindex, side, anchorOf(action.at)));
    }
    case "tracepoint":
      return attachTracepoint(program, details.group, details.name);
    case "kprobe":
      return attachKprobe(program, details);
    case "uprobe":
      return attachUprobe(program, details);
    case "fentry":
    case "fexit":
      return attachTracing(program, details.kind);
  }
}

/** Attaches and pins. */
function attach(context: KernelContext, action: Extract<LinkAction, { kind: "link.attach" }>): void {
  const id = context.bindings.resolve(action.programId);
  using program = openPin(pinPath(context, programPin(id)));
  if (!program) throw sluiceError("PROGRAM_LOST", { id, name: action.name, what: "its pin" });
  using link = create(context, action, program);
  const path = pinPath(context, linkPin(action.linkId));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  unpin(path);
  context.fault("link.attached");
  pin(link.number, path);
  context.bindings.set(action.binds, linkInfo(link).id);
}

/** Waits until the kernel has let go of a link: some kinds end only when their last holder closes, a little later. */
function awaitGone(id: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + GONE_WITHIN;
  for (let wait = 1; performance.now() < deadline; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const fd = openLinkById(id);
    if (!fd) return;
    fd[Symbol.dispose]();
    Atomics.wait(pause, 0, 0, wait);
  }
}

/** Detaches: by force where the kernel can, then the pin, then our own hold on it. */
export function detachPinned(path: string): void {
  const fd = openPin(path);
  if (!fd) return;
  let id: number | undefined;
  {
    using link = fd;
    const info = linkInfo(link);
    if (!detachLink(link)) id = info.id;
    unpin(path);
  }
  if (id !== undefined) awaitGone(id);
}

/** Carries out an action on a link. */
export function doLink(context: KernelContext, action: LinkAction): void {
  if (action.kind === "link.attach") attach(context, action);
  else detachPinned(pinPath(context, linkPin(action.linkId)));
}
