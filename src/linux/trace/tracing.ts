/** Attaching to the entry or exit of a kernel function by a trampoline (fentry, fexit). */
import { createTracingLink } from "../bpf/link.ts";
import type { Fd } from "../fd.ts";

/** Attaches a program to what it was loaded for. @throws SystemError */
export const attachTracing = (program: Fd, kind: "fentry" | "fexit"): Fd =>
  createTracingLink(program, kind === "fentry" ? "entry" : "exit");
