/** Attaching to tracepoints, `group/name`, which tracefs lists. */
import { readdirSync, readFileSync } from "node:fs";
import { nearest } from "../../core/nearest.ts";
import { createPerfLink } from "../bpf/link.ts";
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { fsconfig, fsmount, fsopen } from "../ffi.ts";
import { badTarget, openTracepointEvent } from "./perf-event.ts";

const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;

/** A tracefs of our own, never attached to the tree: many machines have none mounted. */
function mountTracefs(): Fd {
  using context = new Fd(check("fsopen tracefs", fsopen("tracefs", FSOPEN_CLOEXEC)));
  check("fsconfig tracefs", fsconfig(context.number, FSCONFIG_CMD_CREATE, null, null, 0));
  return new Fd(check("fsmount tracefs", fsmount(context.number, FSMOUNT_CLOEXEC, 0)));
}

function names(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** The number of a tracepoint. @throws SluiceError TRACE_TARGET with the nearest name when there is none */
function tracepointId(events: string, group: string, name: string): number {
  try {
    return Number(readFileSync(`${events}/${group}/${name}/id`, "latin1"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const groups = names(events);
    const near = groups.includes(group) ? nearest(name, names(`${events}/${group}`)) : undefined;
    const nearGroup = groups.includes(group) ? group : nearest(group, groups);
    const hint = near ?? (nearGroup === group ? undefined : nearGroup);
    const remedy =
      hint === undefined
        ? "List them: ls /sys/kernel/tracing/events"
        : `Name one that is there, such as ${near === undefined ? `${hint}/...` : `${group}/${near}`}`;
    const suggestion = hint === undefined ? "" : `; did you mean: ${near === undefined ? hint : `${group}/${near}`}?`;
    throw badTarget(`tracepoint "${group}/${name}"`, `it is not found${suggestion}`, remedy);
  }
}

/** Attaches a program to a tracepoint; the link lives until it is closed and unpinned. @throws SluiceError TRACE_TARGET, FEATURE_MISSING; SystemError */
export function attachTracepoint(program: Fd, group: string, name: string): Fd {
  using tracefs = mountTracefs();
  using event = openTracepointEvent(tracepointId(`/proc/self/fd/${tracefs.number}/events`, group, name));
  return createPerfLink(program, event);
}
