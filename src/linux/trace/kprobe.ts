/** Attaching to functions of the kernel. */
import { readFileSync } from "node:fs";
import { nearest } from "../../core/nearest.ts";
import { createPerfLink } from "../bpf/link.ts";
import { SystemError } from "../errno.ts";
import type { Fd } from "../fd.ts";
import { openProbeEvent, badTarget } from "./perf-event.ts";

/** Where in the kernel a probe goes. */
export interface KprobePlace {
  readonly function: string;
  /** Bytes into the function. */
  readonly offset: number;
  readonly returns: boolean;
}

/** Names of the kernel's functions; empty when this process may not see them. */
const functions = (): string[] =>
  readFileSync("/proc/kallsyms", "latin1")
    .split("\n")
    .flatMap((line) => /^\S+ [tTwW] (\S+)$/.exec(line)?.[1] ?? []);

/** Attaches a program to a function. @throws SluiceError TRACE_TARGET, FEATURE_MISSING; SystemError */
export function attachKprobe(program: Fd, place: KprobePlace): Fd {
  try {
    using event = openProbeEvent({ source: "kprobe", name: place.function, ...place });
    return createPerfLink(program, event);
  } catch (error) {
    if (!(error instanceof SystemError) || !["ENOENT", "EINVAL", "EILSEQ", "EADDRNOTAVAIL"].includes(error.code))
      throw error;
    const target = `kernel function "${place.function}"`;
    const known = functions();
    if (known.length > 0 && !known.includes(place.function)) {
      const near = nearest(place.function, known);
      throw badTarget(
        target,
        "the kernel has none of that name",
        near ? `Did you mean ${near}?` : "See /proc/kallsyms",
      );
    }
    const reason =
      place.offset === 0 ? error.message : `offset ${place.offset} is no instruction of it: ${error.message}`;
    throw badTarget(target, reason, "Leave the offset out, or name one where an instruction begins");
  }
}
