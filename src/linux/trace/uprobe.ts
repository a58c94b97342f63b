/** Attaching to functions of programs and libraries. */
import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { createPerfLink } from "../bpf/link.ts";
import type { Fd } from "../fd.ts";
import { functionSymbols } from "./elf-symbols-codec.ts";
import { findLibrary } from "./library.ts";
import { openProbeEvent, badTarget } from "./perf-event.ts";

/** Where in a file a probe goes. */
export interface UprobePlace {
  /** A path, or the name of a library. */
  readonly target: string;
  readonly function?: string;
  /** Bytes into the function, or into the file when none is named. */
  readonly offset: number;
  /** Only in this process. */
  readonly pid?: number;
  /** The target is that of this process's root directory. */
  readonly containerPid?: number;
  readonly returns: boolean;
}

/** The target's path. @throws SluiceError TRACE_TARGET */
function pathOf({ target, containerPid }: UprobePlace): string {
  const root = containerPid === undefined ? "" : `/proc/${containerPid}/root`;
  const path = target.includes("/") ? `${root}${target}` : findLibrary(target, root);
  if (path !== undefined && existsSync(path)) return path;
  throw badTarget(`"${target}"`, "there is no such file or library", "Name a path, or a library such as libc");
}

/** Bytes from the beginning of the file. @throws SluiceError TRACE_TARGET with the nearest name for an unknown function */
function offsetOf(place: UprobePlace, path: string): number {
  const wanted = place.function;
  if (wanted === undefined) return place.offset;
  const target = `function "${wanted}" of ${path}`;
  let symbols;
  try {
    symbols = functionSymbols(readFileSync(path));
  } catch (error) {
    throw badTarget(target, messageOf(error), "Name a file with symbols, or attach by offset alone");
  }
  const found = symbols.find(({ name }) => name === wanted);
  if (!found) {
    const near = nearest(
      wanted,
      symbols.map(({ name }) => name),
    );
    throw badTarget(target, "the file has none of that name", near ? `Did you mean ${near}?` : "nm lists them");
  }
  if (found.size > 0 && place.offset >= found.size)
    throw badTarget(target, `offset ${place.offset} is beyond its ${found.size} bytes`, "Give a smaller offset");
  return found.offset + place.offset;
}

/** Attaches a program. @throws SluiceError TRACE_TARGET, FEATURE_MISSING; SystemError */
export function attachUprobe(program: Fd, place: UprobePlace): Fd {
  const path = pathOf(place);
  const { returns, pid } = place;
  const offset = offsetOf(place, path);
  using event = openProbeEvent({ source: "uprobe", name: path, offset, returns, ...(pid !== undefined && { pid }) });
  return createPerfLink(program, event);
}
