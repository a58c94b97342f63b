/** `sluice link attach fentry` and `fexit`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, attachOf } from "./attach.ts";

const attacher = (kind: "fentry" | "fexit") =>
  reporting(async function attach(this: CliContext, flags: AttachFlags, program: string): Promise<void> {
    return attachAndAnswer(this, flags, { kind, ...(await attachOf(flags, program)) });
  });

/** Runs `fentry`. */
export const fentry = attacher("fentry");
/** Runs `fexit`. */
export const fexit = attacher("fexit");
