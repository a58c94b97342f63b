/** Operations on links. */
import type { Input, Output } from "../../api/routes.ts";
import type { Dispatcher } from "../../dispatcher/dispatcher.ts";
import {
  attachTcx,
  attachToDispatcher,
  attachTrace,
  detachLinks,
  type Done,
  missingLink,
} from "../../dispatcher/manage.ts";
import type { LinkRecord, ProgramRecord, TraceDetails } from "../../dispatcher/model.ts";
import { parseProceedOn } from "../../dispatcher/proceed-on.ts";
import { linkStatus } from "../../dispatcher/view.ts";
import { openDispatcher, type Place } from "../place.ts";
import { carries, forEach, plannedOutput } from "./change.ts";
import { linkJson } from "./json.ts";

type Wanted = Input<"links.attach">["body"];
type Traced = Extract<Wanted, { readonly kind: TraceDetails["kind"] }>;

/** `links.list` */
export async function listLinks(place: Place, { query }: Input<"links.list">): Promise<Output<"links.list">> {
  using dispatcher = openDispatcher(place);
  const state = dispatcher.state();
  const links = [...state.links.values()]
    .filter(({ details }) => query.kind === undefined || details.kind === query.kind)
    .filter(({ programId }) => query.programId === undefined || programId === query.programId)
    .filter(({ metadata }) => carries(metadata, query.metadata));
  return { schema: "sluice/links/1", links: links.map((link) => linkJson(link, state)) };
}

/** `links.get` */
export async function getLink(place: Place, { params: { id } }: Input<"links.get">): Promise<Output<"links.get">> {
  using dispatcher = openDispatcher(place);
  const state = dispatcher.state();
  const link = state.links.get(id);
  if (!link) throw missingLink(id);
  return { schema: "sluice/link/1", link: linkJson(link, state, linkStatus(dispatcher, link)) };
}

/** The place of a tracing program; its type says whether a probe is at the return. */
function traceDetails(wanted: Traced, { type, attachFunction }: ProgramRecord): TraceDetails {
  switch (wanted.kind) {
    case "tracepoint":
      return { kind: "tracepoint", group: wanted.group, name: wanted.name };
    case "kprobe":
      return { kind: "kprobe", function: wanted.function, offset: wanted.offset, returns: type === "kretprobe" };
    case "uprobe": {
      const { kind, target, offset, function: name, pid, containerPid } = wanted;
      return {
        kind,
        target,
        offset,
        ...(name !== undefined && { function: name }),
        ...(pid !== undefined && { pid }),
        ...(containerPid !== undefined && { containerPid }),
        returns: type === "uretprobe",
      };
    }
    case "fentry":
    case "fexit":
      return { kind: wanted.kind, function: attachFunction ?? "" };
  }
}

function attachBy(dispatcher: Dispatcher, wanted: Wanted): Promise<Done<LinkRecord>> {
  const dryRun = wanted.plan;
  switch (wanted.kind) {
    case "xdp": {
      const { proceedOn, lockTimeout: _, plan: __, kind: ___, ...rest } = wanted;
      const codes = proceedOn && { proceedOn: parseProceedOn("xdp", proceedOn) };
      return attachToDispatcher(dispatcher, { ...rest, hook: "xdp", dryRun, ...codes });
    }
    case "tc": {
      const { proceedOn, lockTimeout: _, plan: __, kind: ___, direction, ...rest } = wanted;
      const codes = proceedOn && { proceedOn: parseProceedOn("tc", proceedOn) };
      return attachToDispatcher(dispatcher, { ...rest, hook: `tc-${direction}`, dryRun, ...codes });
    }
    case "tcx":
      return attachTcx(dispatcher, { ...wanted, side: wanted.direction, dryRun });
    default: {
      const { programId, kind, metadata } = wanted;
      const details = (program: ProgramRecord): TraceDetails => traceDetails(wanted, program);
      return attachTrace(dispatcher, { programId, kind, metadata, dryRun, details });
    }
  }
}

/** `links.attach` */
export async function attach(place: Place, { body }: Input<"links.attach">): Promise<Output<"links.attach">> {
  using dispatcher = openDispatcher(place, body.lockTimeout);
  const { change, items } = await attachBy(dispatcher, body);
  if (body.plan) return plannedOutput(change);
  return { schema: "sluice/link/1", link: linkJson(items[0]!, change.state), warnings: [...change.warnings] };
}

/** `links.detach` */
export async function detach(place: Place, { body }: Input<"links.detach">): Promise<Output<"links.detach">> {
  const { ids, ignoreMissing, reclaimClsact, plan, lockTimeout } = body;
  using dispatcher = openDispatcher(place, lockTimeout);
  const options = { ignoreMissing, reclaimClsact };
  if (plan) return plannedOutput((await detachLinks(dispatcher, ids, { ...options, dryRun: true })).change);
  const { done, failed, warnings } = await forEach(ids, async (id) => {
    const { change, items } = await detachLinks(dispatcher, [id], options);
    return { done: items.length > 0, warnings: change.warnings };
  });
  return { schema: "sluice/links-detached/1", detached: done, failed, warnings };
}
